/** What the child process that holds TensorFlow can be asked. */
import type { EngineQuestions } from '../process/protocol.js'
import type { DeviceName, Loaded } from './packages.js'

export interface TensorflowQuestions extends EngineQuestions {
  open: { ask: { readonly device: DeviceName; readonly folder: string }; answer: Loaded }
}
