/** Numbers with units as words for people: one formatter for each kind of quantity. */

const trim = (value: number, digits: number): string => {
  const text = value.toPrecision(digits)
  return text.includes('e') || !text.includes('.') ? String(Number(text)) : text.replace(/\.?0+$/, '')
}

/** 0.000012 → "12 µs", 0.25 → "250 ms", 12.3 → "12.3 s", 754 → "12 min 34 s", 8000 → "2 h 13 min". */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown'
  const size = Math.abs(seconds)
  if (size === 0) return '0 s'
  if (size < 999.5e-9) return `${trim(seconds * 1e9, 3)} ns`
  if (size < 999.5e-6) return `${trim(seconds * 1e6, 3)} µs`
  if (size < 0.9995) return `${trim(seconds * 1e3, 3)} ms`
  if (size < 99.95) return `${trim(seconds, 3)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${trim(minutes / 1440, 3)} d`
}

/** 1536 → "1.5 KiB"; binary multiples. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  for (; Math.abs(value) >= 1023.5 && unit < names.length - 1; unit++) value /= 1024
  return `${unit === 0 ? Math.round(value) : trim(value, Math.abs(value) >= 999.5 ? 4 : 3)} ${names[unit]}`
}

/** 1234567 → "1 234 567" with thin spaces between groups of three; counts below 10 000 have none. */
export function formatCount(count: number): string {
  const text = String(Math.round(count))
  return Math.abs(count) < 10000 ? text : text.replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** 12345 → "12.3 k/s"; `unit` is what is counted, singular or plural as it should read: "12.3 k runs/s"; "unknown" where nothing was timed. */
export function formatRate(perSecond: number, unit = ''): string {
  if (!Number.isFinite(perSecond)) return 'unknown'
  const names = ['', 'k', 'M', 'G', 'T']
  let value = perSecond
  let prefix = 0
  for (; Math.abs(value) >= 999.5 && prefix < names.length - 1; prefix++) value /= 1000
  const parts = [trim(value, 3), names[prefix], unit].filter(part => part !== '')
  return `${parts.join(' ')}/s`
}
