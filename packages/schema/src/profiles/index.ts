export { caepInterop } from './caep-interop.ts'
export { strict } from './strict.ts'
export { tolerant } from './tolerant.ts'
