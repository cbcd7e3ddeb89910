import test from 'ava'
import { either, exportMacrosIn, exportsIn, namespaceFrom } from '../../../pipeline/kbuild/exports.ts'

/** Written after include/linux/{export,pm,tracepoint,static_call}.h: several layers, an empty #else, pasting. */
const HEADERS = [
  `#define EXPORT_SYMBOL(sym) _EXPORT_SYMBOL(sym, "")
#define EXPORT_SYMBOL_GPL(sym) _EXPORT_SYMBOL(sym, "GPL")
#define _EXPORT_SYMBOL(sym, license) __EXPORT_SYMBOL(sym, license, "")
#ifdef CONFIG_SOME
#define EXPORT_PER_CPU_SYMBOL_GPL(var) EXPORT_SYMBOL_GPL(var)
#else
#define EXPORT_PER_CPU_SYMBOL_GPL(var)
#endif
#define ACME_EXPORT(s) EXPORT_SYMBOL_NS_GPL(s, ACME)
#ifdef CONFIG_SOME
#define SOME_EXPORT(s) EXPORT_SYMBOL_NS_GPL(s, SOME)
#else
#define SOME_EXPORT(s) EXPORT_SYMBOL(s)
#endif`,
  `#define __PASTE(a, b) ___PASTE(a, b)
#define ___PASTE(a, b) a##b
#define STATIC_CALL_KEY_PREFIX __SCK__
#define STATIC_CALL_KEY(name) __PASTE(STATIC_CALL_KEY_PREFIX, name)
#define EXPORT_STATIC_CALL_GPL(name) EXPORT_SYMBOL_GPL(STATIC_CALL_KEY(name))`,
  `#define EXPORT_TRACEPOINT_SYMBOL_GPL(name)				\\
	EXPORT_SYMBOL_GPL(__tracepoint_##name);			\\
	EXPORT_SYMBOL_GPL(__traceiter_##name);			\\
	EXPORT_STATIC_CALL_GPL(tp_func_##name)
#define _EXPORT_DEV_PM_OPS(name, license, ns)	\\
	const struct dev_pm_ops name;			\\
	__EXPORT_SYMBOL(name, license, ns);		\\
	const struct dev_pm_ops name
#define EXPORT_SIMPLE_DEV_PM_OPS(name, s, r) _EXPORT_DEV_PM_OPS(name, "", "") = { s, r }
#define EXPORT_GPL_SIMPLE_DEV_PM_OPS(name, s, r) _EXPORT_DEV_PM_OPS(name, "_gpl", "") = { s, r }`,
]

const list = (text: string) =>
  exportsIn(text, exportMacrosIn(HEADERS)).map(({ symbol, gplOnly }) => `${symbol}${gplOnly ? ' gpl' : ''}`)

test('exports are found in all spellings', (t) => {
  const text = `
int a(void) { return 0; }
EXPORT_SYMBOL(a);
EXPORT_SYMBOL_GPL( b );
EXPORT_SYMBOL_NS_GPL(c, SPACE);
EXPORT_SYMBOL_NS(d, "SPACE");
EXPORT_PER_CPU_SYMBOL_GPL(e);
EXPORT_TRACEPOINT_SYMBOL_GPL(f);
EXPORT_SIMPLE_DEV_PM_OPS(g, suspend, resume);
EXPORT_GPL_SIMPLE_DEV_PM_OPS(h,
	suspend, resume);
EXPORT_SYMBOL_GPL_FOR_MODULES(i, "kvm");
ACME_EXPORT(j);
EXPORT_SYMBOL_FOR_MODULES(k, "kvm");
/* not one: EXPORT_SYMBOL(x) */
// EXPORT_SYMBOL(y)
	EXPORT_SYMBOL(
		l);
int m(void)
{
} EXPORT_SYMBOL_NS(m, SPACE);
`
  t.deepEqual(list(text), [
    'a',
    'b gpl',
    'c gpl',
    'd',
    'e gpl',
    '__tracepoint_f gpl',
    '__traceiter_f gpl',
    '__SCK__tp_func_f gpl',
    'g',
    'h gpl',
    'i gpl',
    'j gpl',
    'k gpl',
    'l',
    'm',
  ])
})

test("a file's own macros are expanded; what cannot be known is left out", (t) => {
  const text = `
#define STANDARD(name, type)			\\
	int set_##name(type *p) { return 0; }	\\
	EXPORT_SYMBOL(set_##name);		\\
	EXPORT_SYMBOL_GPL(get_##name)
#define TWICE(name) STANDARD(name, int); STANDARD(name##_ro, int)
STANDARD(byte, unsigned char);
TWICE(hex);
EXPORT_SYMBOL(UNKNOWN(name));
EXPORT_SYMBOL();
EXPORT_SYMBOL(
`
  t.deepEqual(list(text), ['set_byte', 'get_byte gpl', 'set_hex', 'get_hex gpl', 'set_hex_ro', 'get_hex_ro gpl'])
})

test('without headers the plain forms are found', (t) => {
  t.deepEqual(exportsIn('EXPORT_SYMBOL_GPL(a);\nACME_EXPORT(b);\n'), [{ symbol: 'a', gplOnly: true }])
  t.deepEqual(exportsIn('int main(void) { return 0; }'), [])
})

const namespaces = (text: string, fromFlags?: string) =>
  Object.fromEntries(
    exportsIn(text, exportMacrosIn(HEADERS), fromFlags).map(({ symbol, namespace }) => [symbol, namespace]),
  )

test('an export has the namespace that it names, else the default of its source or of its directory', (t) => {
  const text = `EXPORT_SYMBOL(a);
EXPORT_SYMBOL_NS_GPL(b, SPACE);
EXPORT_SYMBOL_NS(c, "SPACE");
ACME_EXPORT(d);
SOME_EXPORT(g);
EXPORT_SYMBOL_FOR_MODULES(e, "kvm,kvm-*");
EXPORT_SIMPLE_DEV_PM_OPS(f, suspend, resume);
`
  const named = { b: 'SPACE', c: 'SPACE', d: 'ACME', e: 'module:kvm,kvm-*', f: undefined, g: undefined }
  t.deepEqual(namespaces(text), { a: undefined, ...named })
  t.deepEqual(namespaces(text, 'DIR'), { a: 'DIR', ...named })
  t.deepEqual(namespaces(`#define DEFAULT_SYMBOL_NAMESPACE "OWN"\n${text}`, 'DIR'), { a: 'OWN', ...named })
  t.is(namespaceFrom(['-DX', '-DDEFAULT_SYMBOL_NAMESPACE="IDXD"']), 'IDXD')
  t.is(namespaceFrom(['-DDEFAULT_SYMBOL_NAMESPACE=IDXD']), 'IDXD')
  t.is(namespaceFrom(['-DX']), undefined)
})

test('a symbol that is exported in several ways is open as far as one of them opens it', (t) => {
  const one = { symbol: 'a', gplOnly: true, namespace: 'SPACE' }
  t.deepEqual(either(one, { symbol: 'a', gplOnly: true, namespace: 'SPACE' }), one)
  t.deepEqual(either(one, { symbol: 'a', gplOnly: false, namespace: 'OTHER' }), { symbol: 'a', gplOnly: false })
  t.deepEqual(either(one, undefined), one)
})
