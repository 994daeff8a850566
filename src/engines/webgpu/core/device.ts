/**
 * One GPU, by the `GPUDevice` that a host opened: buffers, pipelines whose errors say where the source is wrong, submits and
 * readbacks, and the errors that a GPU can have, as exceptions.
 */
import { WorkError } from '../../../core/errors.js'
import { kernelText, type Sources, type Values } from './text.js'

/** The GPU has no memory left for what was asked; a smaller batch may fit. */
export class GpuMemoryError extends WorkError {}
/** The device is gone: the driver reset it, it was unplugged, or it was given up because a dispatch did not end. */
export class GpuLostError extends WorkError {}

/** A part of a buffer; sizes and offsets in bytes, offsets at multiples of 256. */
export type Binding = GPUBuffer | { readonly buffer: GPUBuffer; readonly offset?: number; readonly size?: number }

/** Dawn's errors have a message without being of JavaScript's class. */
export const firstSentence = (error: unknown): string => {
  const { message } = (error ?? {}) as { readonly message?: unknown }
  return (typeof message === 'string' ? message : String(error)).split('\n')[0].replace(/\.$/, '')
}

/** Lines of a shader around the place that a message points at. */
function excerpt(source: string, line: number): string {
  const lines = source.split('\n')
  const from = Math.max(0, line - 3)
  return lines
    .slice(from, line + 2)
    .map((text, i) => `${from + i + 1 === line ? '>' : ' '} ${from + i + 1} | ${text}`)
    .join('\n')
}

/** What reports say of a GPU. */
export interface GpuLabel {
  /** Name, number among those of the name, and driver. */
  readonly name: string
  /** The same without the number. */
  readonly kind: string
  /** Whether it computes on the processor. */
  readonly software: boolean
}

/** Limits of which a device should have as much as its adapter grants. */
const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY'
] as const

/** A device with all of an adapter that the kernels can use. */
export function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {}
  for (const limit of wantedLimits) requiredLimits[limit] = adapter.limits[limit]
  const requiredFeatures: GPUFeatureName[] = adapter.features.has('timestamp-query') ? ['timestamp-query'] : []
  return adapter.requestDevice({ requiredLimits, requiredFeatures })
}

export class Gpu {
  readonly limits: GPUSupportedLimits
  /** Whether passes can be timed. */
  readonly timestamps: boolean
  /** Settles when the device is gone, with the reason, unless `destroy` was called. */
  readonly lost: Promise<GpuLostError>
  private readonly waits = new Set<{ readonly since: number }>()
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>()
  private staging: GPUBuffer | undefined
  private clock: { readonly queries: GPUQuerySet; readonly resolved: GPUBuffer } | undefined
  private reading: Promise<unknown> = Promise.resolve()
  private gone: GpuLostError | undefined
  private closed = false
  /** An error of a command that no scope caught; whoever asks next gets it. */
  private uncaught: WorkError | undefined
  /** Faults are injected here (host/faults.ts): before a submit of a run loop that has delivered so many runs, and by buffers too large. */
  beforeLaunch: ((delivered: number) => void) | undefined
  mostBytes = Infinity

  readonly name: string
  readonly kind: string
  readonly software: boolean

  /** @param sources of the kernels */
  constructor(
    readonly device: GPUDevice,
    private readonly sources: Sources,
    label: GpuLabel
  ) {
    const { name } = label
    this.name = name
    this.kind = label.kind
    this.software = label.software
    this.limits = device.limits
    device.onuncapturederror = event => {
      event.preventDefault()
      this.uncaught ??= this.failure(event.error)
    }
    this.timestamps = device.features.has('timestamp-query')
    this.lost = new Promise(resolve => {
      void device.lost.then(info => {
        if (this.closed) return
        this.gone = new GpuLostError(`The GPU ${name} was lost (${firstSentence(info.message) || info.reason}).`)
        resolve(this.gone)
      })
    })
  }

  /** @throws GpuLostError when the device is gone, and what went wrong since the last call */
  private check(): void {
    if (this.gone) throw this.gone
    const { uncaught } = this
    this.uncaught = undefined
    if (uncaught) throw uncaught
  }

  private failure(error: GPUError): WorkError {
    return error instanceof GPUOutOfMemoryError
      ? new GpuMemoryError(`The GPU ${this.name} has too little memory: ${firstSentence(error)}.`)
      : new WorkError(`The GPU ${this.name} refused a command: ${firstSentence(error)}.`)
  }

  /**
   * A buffer of at least `bytes` bytes (rounded up to 256), zero at first, that shaders read and write and copies go to and from.
   * Errors of memory show in `guard`.
   */
  buffer(bytes: number, label: string): GPUBuffer {
    this.check()
    if (bytes > this.mostBytes)
      throw new GpuMemoryError(`The GPU ${this.name} has too little memory for ${bytes} bytes.`)
    return this.device.createBuffer({
      label,
      size: Math.max(256, Math.ceil(bytes / 256) * 256),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    })
  }

  /** A buffer that holds `data`. */
  upload(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, label: string): GPUBuffer {
    const buffer = this.buffer(data.byteLength, label)
    this.write(buffer, data)
    return buffer
  }

  /** A few numbers that shaders read as uniforms. */
  constants(data: Uint32Array<ArrayBuffer>, label: string): GPUBuffer {
    this.check()
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
    const buffer = this.device.createBuffer({ label, size: Math.ceil(data.byteLength / 16) * 16, usage })
    this.write(buffer, data)
    return buffer
  }

  write(buffer: GPUBuffer, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, offset = 0): void {
    this.check()
    if (data.length > 0) this.device.queue.writeBuffer(buffer, offset, data)
  }

  /**
   * The pipeline of a kernel with its constants.
   * @param label by which messages name it; default: the file
   */
  kernel(file: string, values: Values, label = file): Promise<GPUComputePipeline> {
    return this.pipeline(kernelText(this.sources, file, values), label)
  }

  /**
   * The pipeline of a shader with the entry point `main`, compiled once for each source.
   * @throws WorkError with line, column and the lines around when the source is wrong
   */
  pipeline(source: string, label: string): Promise<GPUComputePipeline> {
    let made = this.pipelines.get(source)
    if (!made) {
      made = this.compile(source, label)
      this.pipelines.set(source, made)
    }
    return made
  }

  /**
   * A shader that the device has looked through.
   * @throws WorkError with line, column and the lines around where it is wrong
   */
  async module(source: string, label: string): Promise<GPUShaderModule> {
    this.check()
    const { device } = this
    device.pushErrorScope('validation')
    const module = device.createShaderModule({ label, code: source })
    const scope = device.popErrorScope()
    const { messages } = await module.getCompilationInfo()
    const invalid = await scope
    const error = messages.find(m => m.type === 'error')
    if (error)
      throw new WorkError(
        `The kernel ${label} does not compile: line ${error.lineNum}, column ${error.linePos}: ${error.message}\n${excerpt(source, error.lineNum)}`
      )
    if (invalid) throw new WorkError(`The kernel ${label} does not compile: ${invalid.message}`)
    return module
  }

  private async compile(source: string, label: string): Promise<GPUComputePipeline> {
    const module = await this.module(source, label)
    const { device } = this
    device.pushErrorScope('validation')
    device.pushErrorScope('internal')
    const pipeline = device
      .createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint: 'main' } })
      .then(
        made => ({ made }),
        (reason: unknown) => ({ reason })
      )
    const [internal, validation] = [device.popErrorScope(), device.popErrorScope()]
    const outcome = await pipeline
    const caught = (await internal) ?? (await validation)
    if ('made' in outcome) return outcome.made
    this.check()
    const why = firstSentence(caught ?? outcome.reason)
    throw new WorkError(`The GPU ${this.name} does not take the kernel ${label}: ${caught?.message ?? why}`)
  }

  /** Binding i of group 0 is the i-th of `bindings`; places that the shader does not have are undefined. */
  bind(pipeline: GPUComputePipeline, bindings: readonly (Binding | undefined)[]): GPUBindGroup {
    this.check()
    return this.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.flatMap((b, binding) =>
        b === undefined ? [] : [{ binding, resource: 'buffer' in b ? b : { buffer: b } }]
      )
    })
  }

  /** Records commands and hands them to the GPU. */
  submit(record: (encoder: GPUCommandEncoder) => void): void {
    this.check()
    const encoder = this.device.createCommandEncoder()
    record(encoder)
    this.device.queue.submit([encoder.finish()])
  }

  /**
   * Bytes of a buffer, after all that was submitted before. Readings queue for one staging buffer.
   * @throws GpuLostError when the device is lost meanwhile
   */
  read(from: GPUBuffer, bytes: number, offset = 0): Promise<ArrayBuffer> {
    const result = this.reading.then(() => this.readNow(from, bytes, offset))
    this.reading = result.catch(() => undefined)
    return result
  }

  private async readNow(from: GPUBuffer, bytes: number, offset: number): Promise<ArrayBuffer> {
    this.check()
    const size = Math.ceil(bytes / 4) * 4
    if (!this.staging || this.staging.size < size) {
      this.staging?.destroy()
      this.staging = this.mappable(Math.max(65536, 2 ** Math.ceil(Math.log2(size))), 'staging')
    }
    const { staging } = this
    this.submit(encoder => encoder.copyBufferToBuffer(from, offset, staging, 0, size))
    return (await this.mapped(staging, size)).slice(0, bytes)
  }

  /** A buffer that copies go to and that `mapped` reads. */
  mappable(bytes: number, label: string): GPUBuffer {
    this.check()
    return this.device.createBuffer({ label, size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
  }

  /**
   * What a mappable buffer holds after all that was submitted before.
   * @throws GpuLostError when the device is lost meanwhile
   */
  async mapped(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const wait = { since: performance.now() }
    this.waits.add(wait)
    try {
      await Promise.race([buffer.mapAsync(GPUMapMode.READ, 0, bytes), this.lost.then(e => Promise.reject(e))])
      const copy = buffer.getMappedRange(0, bytes).slice(0)
      buffer.unmap()
      this.check()
      return copy
    } catch (error) {
      this.check()
      throw error
    } finally {
      this.waits.delete(wait)
    }
  }

  /** How long the GPU has been at what was asked for first of all that it has not finished. */
  get waitMilliseconds(): number {
    const now = performance.now()
    return Array.from(this.waits).reduce((longest, { since }) => Math.max(longest, now - since), 0)
  }

  /** Seconds that the GPU takes for a pass: by its own clock where it has one, else until the host hears of the end. */
  async timed(record: (pass: GPUComputePassEncoder) => void): Promise<number> {
    this.check()
    if (!this.timestamps) {
      const began = performance.now()
      this.submit(encoder => {
        const pass = encoder.beginComputePass()
        record(pass)
        pass.end()
      })
      await this.finished()
      return (performance.now() - began) / 1000
    }
    this.clock ??= {
      queries: this.device.createQuerySet({ type: 'timestamp', count: 2 }),
      resolved: this.device.createBuffer({
        label: 'timestamps',
        size: 256,
        usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC
      })
    }
    const { queries, resolved } = this.clock
    this.submit(encoder => {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
      })
      record(pass)
      pass.end()
      encoder.resolveQuerySet(queries, 0, 2, resolved, 0)
    })
    const [began, ended] = new BigUint64Array(await this.read(resolved, 16))
    return Number(ended - began) * 1e-9
  }

  /** Resolves when the GPU has done all that was submitted before. */
  async finished(): Promise<void> {
    const wait = { since: performance.now() }
    this.waits.add(wait)
    try {
      await Promise.race([this.device.queue.onSubmittedWorkDone(), this.lost.then(e => Promise.reject(e))])
    } finally {
      this.waits.delete(wait)
    }
  }

  /**
   * Runs `work` and turns the errors of what it asked the GPU for into exceptions.
   * @throws GpuMemoryError, or WorkError with Dawn's words
   */
  async guard<T>(work: () => T): Promise<T> {
    this.check()
    const { device } = this
    for (const filter of ['validation', 'out-of-memory', 'internal'] as const) device.pushErrorScope(filter)
    let result: T
    let scopes: Promise<GPUError | null>[]
    try {
      result = work()
    } finally {
      scopes = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()]
    }
    const [internal, memory, validation] = await Promise.all(scopes)
    const caught = memory ?? validation ?? internal
    if (caught) throw this.failure(caught)
    return result
  }

  /** Gives the device up; what was not read is lost. */
  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.staging?.destroy()
    this.device.destroy()
  }
}
