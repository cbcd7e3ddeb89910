/**
 * The C parser: web-tree-sitter with tree-sitter-c, opened once.
 *
 * Kernel C is not plain C until its macros are expanded: annotations stand where no word may, loops are macros. Before
 * parsing, `plain` turns what is known to be that into blanks or keywords of the same length, so that positions stay
 * and an error the parser reports is more likely a real one.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Language, Parser, type Tree } from 'web-tree-sitter'

let opening: Promise<Parser> | undefined

async function open(): Promise<Parser> {
  await Parser.init()
  const grammar = createRequire(import.meta.url).resolve('tree-sitter-c/tree-sitter-c.wasm')
  const parser = new Parser()
  parser.setLanguage(await Language.load(readFileSync(grammar)))
  return parser
}

/** Parse C text. The caller deletes the tree. */
export async function parseC(text: string): Promise<Tree> {
  opening ??= open()
  const tree = (await opening).parse(text)
  if (tree === null) throw new Error('tree-sitter gave no tree')
  return tree
}

/** Words that annotate declarations and mean nothing to the structure of a program. */
const ANNOTATION =
  /\b(?:__(?:init|exit|initdata|initconst|exitdata|init_or_module|initdata_or_module|devinit|devexit|meminit|cpuinit|ref|refdata|net_init|net_exit|net_initdata|sched|lockfunc|iomem|user|kernel|rcu|percpu|force|bitwise|nocast|safe|private|must_check|maybe_unused|always_unused|always_inline|noreturn|packed|aligned|cold|hot|pure|malloc|weak|used|visible|read_mostly|ro_after_init|cacheline_aligned|cacheline_aligned_in_smp|attribute_const__|no_sanitize_address|noclone|noendbr|nonstring|deprecated|section|function_aligned|latent_entropy|randomize_layout|no_randomize_layout|designated_init)|noinline|notrace|asmlinkage|__visible|____cacheline_aligned(?:_in_smp)?|____cacheline_internodealigned_in_smp|fallthrough_unused|noinline_for_stack|__noreturn|randomized_struct_fields_(?:start|end)|__pure|SNDRV_CTL_TLVD_UNUSED)\b/g

/** The same with arguments. */
const ANNOTATION_CALL =
  /\b(?:__(?:printf|scanf|acquires|releases|must_hold|aligned|section|cond_acquires|alloc_size|counted_by|counted_by_le|counted_by_be|assume_aligned|realloc_size|bpf_kfunc|cleanup|free|printf_like)|__attribute__|DECLARE_FLEX_ARRAY_UNUSED)\s*\((?:[^()]|\([^()]*(?:\([^()]*\))?[^()]*\))*\)/g

/** Statement macros that take a block like a loop does: the name becomes `while`. */
const LOOP =
  /\b(\w*(?:for_each|foreach|FOR_EACH|_walk_safe|_walk_frags|queue_walk|for_all_)\w*)(?=\s*\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)\s*(?:\{|[A-Za-z_*(]|\n))/g

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ')
const word = (text: string): string => text.replaceAll(/[^\w\n]/g, '_')

/** Macros that make a string of their argument, in the middle of string literals. */
const STRINGIFY = /\b(?:__MODULE_STRING|__stringify|__STRING|XSTR|STR|_STR)\s*\([^()\n"]*\)/g

/** `struct x`, `struct x *` and plain types as arguments of a macro. */
const TYPE_ARGUMENT =
  /(?<=[(,]\s*)(?:(?:const\s+)?(?:struct|union|enum)\s+\w+|(?:unsigned|signed|long|short|int|char|float|double|u?int(?:8|16|32|64)_t|size_t|ssize_t|bool|void)(?:\s+(?:unsigned|signed|long|short|int|char))*)[\s*]*(?=[,)])/g

/** `static DEFINE_MUTEX(x);`: a macro that declares. */
const STORAGE = /\b(?:static|extern)(?:\s+(?:const|inline|__always_inline))*\s+(?=[A-Z][A-Z0-9_]+\w*\s*\()/g

/** Macros that stand where no statement, field or initialiser may: they say nothing about structure. */
const MISPLACED =
  /\bKERN_[A-Z]+\b(?=\s*\w*\s*")|\b\w*_PM_OPS\s*\([^()]*\)(?=\s*[},.\w])|\bDECLARE_(?:BITMAP|HASHTABLE|FLEX_ARRAY|KFIFO\w*)\s*\([^;{}]*?\)(?:\s*=\s*\{[^{};]*\})?\s*;|\bINDIRECT_CALLABLE_(?:SCOPE\b|DECLARE\s*\([^;]*\);)|^[ \t]*(?:module_\w+|\w+_initcall|EXPORT_\w+|MODULE_\w+)\s*\([^()]*\)(?=[ \t]*\n\s*(?:[A-Za-z#/]|$(?![\s\S])))/gm

/** `typeof(x)` as a type. */
const TYPEOF = /\b(?:__)?typeof(?:__)?\s*\([^()]*\)/g

/** `offsetof(type, member.part[0])` as a name. */
const OFFSETOF = /\boffsetof\s*\((?:[^()]|\([^()]*\))*\)/g

/** Same length, same lines; kernel annotations blanked, iteration macros as loops, types as arguments as names. */
export function plain(text: string): string {
  return text
    .replaceAll(ANNOTATION_CALL, blank)
    .replaceAll(ANNOTATION, blank)
    .replaceAll(STRINGIFY, word)
    .replaceAll(TYPEOF, word)
    .replaceAll(OFFSETOF, (text) => `OFFSETOF${blank(text.slice(8))}`)
    .replaceAll(MISPLACED, blank)
    .replaceAll(STORAGE, blank)
    .replaceAll(TYPE_ARGUMENT, typeAsName)
    .replaceAll(/(?<=\bcase\s+[^:;\n]*?)\.\.\.[^:\n]*(?=:)/g, blank)
    .replaceAll(/\b(?!0[xXbB])\d+(?=[A-KM-TV-Z_]\w*|base[A-Z]|g_)/g, (digits) => 'n'.repeat(digits.length))
    .replaceAll(LOOP, (name) => (name.length >= 5 ? 'while'.padEnd(name.length) : name))
}

/** The last character before an offset that is not space. */
function lastBefore(text: string, at: number): string {
  let i = at - 1
  while (i >= 0 && /\s/.test(text[i] as string)) i--
  return text[i] ?? ''
}

function typeAsName(type: string, at: number, text: string): string {
  const before = lastBefore(text, at)
  const after = text[at + type.length]
  const ofCall =
    before === '(' && after === ')' && /(?<!\bsizeof)(?<=\w)\s*\($/.test(text.slice(Math.max(0, at - 40), at))
  if (ofCall && /\b(?:struct|union|enum)\b/.test(type))
    return `${word(type.trimEnd()).replace(/^[a-z]/, (c) => c.toUpperCase())}${blank(type.slice(type.trimEnd().length))}`
  // `(void)` and casts are what they look like.
  if (before === '(' && after === ')' && !/\b(?:struct|union|enum)\b/.test(type)) return type
  const name = type.trimEnd().replace(/[\s*]+$/, '')
  if (before === '(' && after === ')' && name.length !== type.length) return type
  return /\b(?:struct|union|enum)\b/.test(name) && before === '(' && after === ')'
    ? type
    : `${name.replaceAll(/[^\w\n]/g, '_').replace(/^[a-z]/, (c) => c.toUpperCase())}${blank(type.slice(name.length))}`
}

/** Same length, same lines; comments, strings and character constants blanked (delimiters of strings stay). */
export function withoutCommentsAndStrings(text: string): string {
  return text.replaceAll(
    /\/\*[\s\S]*?(?:\*\/|$)|\/\/(?:\\\r?\n|[^\n])*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g,
    (match) => (match.startsWith('"') ? `"${blank(match.slice(1, -1))}"` : blank(match)),
  )
}

/** Iteration macros a text uses, which `plain` hides from the parser. */
export function iterationMacros(text: string): { name: string; offset: number }[] {
  return [...withoutCommentsAndStrings(text).matchAll(LOOP)].map((m) => ({ name: m[1] as string, offset: m.index }))
}
