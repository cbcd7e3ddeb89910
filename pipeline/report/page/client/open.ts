/** A matrix from a file that the reader chose: json or compact, gzipped or not. */
import { COMPACT_SCHEMA, expand } from '../../../matrix/expand.ts'
import { type MatrixDocument } from '../../../matrix/types.ts'
import { encode } from '../payload.ts'
import { decode, type Model } from './model.ts'

async function textOfFile(file: File): Promise<string> {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  if (first !== 0x1f || second !== 0x8b) return file.text()
  return new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).text()
}

const isRow = (row: unknown): boolean => {
  const { module, path, rung } = (row ?? {}) as Record<string, unknown>
  return [module, path, rung].every((value) => typeof value === 'string')
}

/** Throws an Error that says what was found and what was expected. */
function checked(name: string, value: Record<string, unknown> | null): MatrixDocument {
  const given = value?.['schema']
  const plain = (given === COMPACT_SCHEMA ? expand(value!) : value) as Partial<MatrixDocument> | null
  if (plain?.schema !== 'drvport.matrix/1' || !Array.isArray(plain.rows))
    throw new Error(
      `${name} is not a matrix: found schema ${JSON.stringify(given) ?? 'none'}, expected drvport.matrix/1 or ${COMPACT_SCHEMA}.`,
    )
  const bad = plain.rows.findIndex((row) => !isRow(row))
  if (bad >= 0) throw new Error(`${name} is damaged: rows[${bad}] has no module, path and rung.`)
  if (plain.tree === undefined || plain.until === undefined)
    throw new Error(`${name} is damaged: no tree and rung are named.`)
  return plain as MatrixDocument
}

/** Throws an Error whose message is for the reader. */
export async function openMatrix(file: File): Promise<Model> {
  const text = await textOfFile(file).catch((cause: unknown) => {
    throw new Error(`${file.name} is a damaged gzip file.`, { cause })
  })
  let value: Record<string, unknown> | null
  try {
    value = JSON.parse(text) as Record<string, unknown> | null
  } catch (cause) {
    throw new Error(`${file.name} is not JSON. Expected what drvport matrix --report json=FILE writes.`, { cause })
  }
  return decode(encode(checked(file.name, value)))
}
