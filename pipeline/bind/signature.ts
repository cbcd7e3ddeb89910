/** Function types as short text, `iI>i`: what symbols and peers are compared by. i and I are integers of 32 and 64 bits, f and F floats. */
import { WasmError } from '../wasm/bytes.ts'
import type { FuncType, ValueType } from '../wasm/module.ts'

const letters: Partial<Record<ValueType, string>> = { i32: 'i', i64: 'I', f32: 'f', f64: 'F' }
const bytes: Record<string, number> = { i: 0x7f, I: 0x7e, f: 0x7d, F: 0x7c }

/** Throws WasmError for types that no driver is compiled to. */
export function signatureOf({ params, results }: FuncType): string {
  return `${lettersOf(params)}>${lettersOf(results)}`
}

function lettersOf(types: readonly ValueType[]): string {
  let text = ''
  for (const type of types) {
    const letter = letters[type]
    if (letter === undefined) throw new WasmError(`value type ${type} is not expected in a function's type`, 0)
    text += letter
  }
  return text
}

/** Parameters and results as the binary format has them. */
export function signatureBytes(signature: string): readonly [params: Uint8Array, results: Uint8Array] {
  const [params = '', results = ''] = signature.split('>')
  const encode = (text: string) => Uint8Array.from([...text], (letter) => bytes[letter] as number)
  return [encode(params), encode(results)]
}

const types: Record<string, ValueType> = { i: 'i32', I: 'i64', f: 'f32', F: 'f64' }
const known = new Map<string, FuncType>()

/** The type that `signatureOf` made the text of. Throws WasmError when it is none. */
export function typeOf(signature: string): FuncType {
  let type = known.get(signature)
  if (type === undefined) {
    if (!isSignature(signature)) throw new WasmError(`${JSON.stringify(signature)} is no function type`, 0)
    const [params = '', results = ''] = signature.split('>')
    const list = (text: string) => [...text].map((letter) => types[letter] as ValueType)
    known.set(signature, (type = { params: list(params), results: list(results) }))
  }
  return type
}

/** Whether it is text that `signatureOf` gives. */
export const isSignature = (text: string): boolean => /^[iIfF]*>[iIfF]*$/.test(text)
