import test from 'ava'
import { declarationsIn, type Declaration } from '../../../pipeline/api/declarations.ts'

const named = (text: string, name: string): Declaration | undefined =>
  declarationsIn(text).find((item) => item.name === name)

test('functions: prototypes, inline definitions, attributes before and after, macros in between', (t) => {
  const text = `
extern int mod_timer(struct timer_list *timer, unsigned long expires);
static inline __must_check void *devm_get(struct device *dev)
{
	return find(dev, { 1 });
}
__printf(2, 3) void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
DEFINE_FREE(put, void *, if (_T) put(_T))
int none(void);
void (*choose(int which))(int);
`
  t.like(named(text, 'mod_timer'), {
    kind: 'function',
    line: 2,
    shape: 'int(struct timer_list*,unsigned long)',
    parameters: ['struct timer_list*timer', 'unsigned long expires'],
  })
  t.is(named(text, 'devm_get')?.shape, 'void*(struct device*)')
  t.is(named(text, 'find'), undefined)
  t.is(named(text, 'say')?.shape, 'void(const char*,...)')
  t.like(named(text, 'none'), { line: 9, parameters: [] })
})

test('a parameter that is renamed or unnamed changes nothing, another type does', (t) => {
  const shape = (text: string) => named(text, 'f')?.shape
  t.is(
    shape('int f(struct a *x, int (*done)(void *arg), u32);'),
    shape('extern int f(struct a *, int (*cb)(void *), u32 n);'),
  )
  t.not(shape('int f(struct a *x);'), shape('void f(struct a *x);'))
  t.not(shape('int f(struct a *x);'), shape('int f(const struct a *x);'))
})

test('macros have parameters, and a body over several lines', (t) => {
  const text =
    '#define from(var, cb, \\\n\tfield) \\\n\tcontainer_of(cb, typeof(*var), field)\n#define PLAIN 4 /* four */\n'
  t.like(named(text, 'from'), { kind: 'macro', line: 1, parameters: ['var', 'cb', 'field'] })
  t.is(named(text, 'PLAIN')?.shape, '4')
  t.is(named(text, 'PLAIN')?.parameters, undefined)
})

test('structures have their fields: pointers to functions, bits, several in a line, parts without a name', (t) => {
  const text = `
struct net_device {
	char name[16], *alias;
	unsigned int up:1;
	int (*open)(struct net_device *dev);
	union {
		struct { u8 a; } inner;
		u32 whole;
	};
	struct_group(stats, unsigned long rx; unsigned long tx;);
	struct list_head list ____cacheline_aligned;
} __packed;
`
  const device = named(text, 'net_device')
  t.is(device?.kind, 'struct')
  const fields = new Map(device?.fields?.map(({ name, shape }) => [name, shape]))
  t.is(fields.get('alias'), 'char*')
  t.is(fields.get('open'), 'int(*)(struct net_device*)')
  for (const name of ['name', 'up', 'whole', 'inner', 'a']) t.true(fields.has(name), name)
  t.is(device?.fields?.find(({ name }) => name === 'open')?.line, 5)
})

test('enumerators, typedefs and variables', (t) => {
  const text =
    'enum state { IDLE, BUSY = 2, };\ntypedef int (*handler_t)(int irq);\ntypedef struct { int x; } pair_t;\nextern struct bus_type pci_bus_type;\n'
  t.is(named(text, 'BUSY')?.kind, 'enumerator')
  t.is(named(text, 'state')?.kind, 'enum')
  t.is(named(text, 'handler_t')?.kind, 'typedef')
  t.is(named(text, 'pair_t')?.kind, 'typedef')
  t.is(named(text, 'pci_bus_type')?.kind, 'variable')
})

test('a declaration knows its conditions; an include guard is none', (t) => {
  const text = `#ifndef _LINUX_IO_H
#define _LINUX_IO_H
void always(void);
#ifdef CONFIG_64BIT
#ifndef readq
#define readq readq
u64 readq(const volatile void *addr);
#endif
#elif defined(CONFIG_X)
void other(void);
#else
void neither(void);
#endif
#endif
`
  t.deepEqual(named(text, 'always')?.conditions, [])
  t.deepEqual(declarationsIn(text).find(({ kind, name }) => kind === 'function' && name === 'readq')?.conditions, [
    'defined(CONFIG_64BIT)',
    '!defined(readq)',
  ])
  t.deepEqual(named(text, 'other')?.conditions, ['defined(CONFIG_X)'])
  t.deepEqual(named(text, 'neither')?.conditions, ['!(defined(CONFIG_X))'])
})

test('what is no C is passed over', (t) => {
  for (const text of ['', '}', '{{{', 'int f(', '#define', '#if\n#endif\n#endif', 'struct', 'enum {', '"unterminated'])
    t.notThrows(() => declarationsIn(text), text)
})
