/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// What a browser shows of a report. `look` is sent to the page as text, so it uses nothing from outside itself.

export interface Look {
  readonly overflow: number
  /** Things outside the page's width that no scrolling box holds. */
  readonly outside: readonly string[]
  readonly pictures: readonly { readonly title: string; readonly width: number; readonly height: number }[]
  /** Text of pictures that leaves its picture or lies on other text. */
  readonly misplaced: readonly string[]
  /** Size of the smallest text on the screen, in px. */
  readonly smallest: number
  readonly contrast: number
}

/** Measures the page that it runs in. */
export function look(): Look {
  const visible = document.documentElement.clientWidth
  const outside: string[] = []
  for (const element of document.querySelectorAll('main *')) {
    if (element.closest('.scroll') || element.closest('svg')) continue
    const box = element.getBoundingClientRect()
    if (box.right > visible + 0.5 || box.left < -0.5)
      outside.push(`${element.tagName} ${element.textContent.slice(0, 40)}`)
  }
  const misplaced: string[] = []
  let smallest = Infinity
  const pictures = [...document.querySelectorAll('svg[role="img"]')].map(svg => {
    const box = svg.getBoundingClientRect()
    const scale = box.width / (svg as SVGSVGElement).viewBox.baseVal.width
    const texts = [...svg.querySelectorAll('text')].filter(
      text => text.textContent.trim() !== '' && getComputedStyle(text).opacity !== '0'
    )
    const boxes = texts.map(text => text.getBoundingClientRect())
    texts.forEach((text, i) => {
      smallest = Math.min(smallest, scale * parseFloat(getComputedStyle(text).fontSize))
      const t = boxes[i]
      const name = `"${text.textContent}" of ${svg.querySelector('title')?.textContent.slice(0, 40) ?? ''}`
      if (t.left < box.left - 1 || t.right > box.right + 1 || t.top < box.top - 1 || t.bottom > box.bottom + 1)
        misplaced.push(`${name} leaves the picture`)
      for (let j = 0; j < i; j++) {
        const u = boxes[j]
        const [x, y] = [
          Math.min(t.right, u.right) - Math.max(t.left, u.left),
          Math.min(t.bottom, u.bottom) - Math.max(t.top, u.top)
        ]
        // Line boxes are taller than letters; a third of the height is real overlap.
        if (x > 1 && y > t.height / 3) misplaced.push(`${name} lies on "${texts[j].textContent}"`)
      }
    })
    return { title: svg.querySelector('title')?.textContent ?? '', width: box.width, height: box.height }
  })
  const light = (colour: string): number => {
    const [r, g, b] = (colour.match(/[\d.]+/g) ?? []).map(v => {
      const c = Number(v) / 255
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const style = getComputedStyle(document.body)
  const [ink, ground] = [light(style.color), light(style.backgroundColor)]
  return {
    overflow: document.documentElement.scrollWidth - visible,
    outside,
    pictures,
    misplaced,
    smallest,
    contrast: (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)
  }
}
