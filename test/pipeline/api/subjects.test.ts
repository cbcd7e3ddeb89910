import test from 'ava'
import { macrosAround, statementAt, subjectsOf, versionTestsAt } from '../../../pipeline/api/subjects.ts'

const TEXT = `#include <linux/platform_device.h>
/* a comment; { with braces */
static struct platform_driver acme_driver = {
	.driver = { .name = "acme" },
	.remove = acme_remove,
};

int acme(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	return first(1,
		     second(2));
#else
	return third();
#endif
}
`
const complain = (line: number, message: string) => subjectsOf({ file: 'acme.c', line, message, text: TEXT })

test('a call where declarations stand is of a macro that is not there', (t) => {
  const told = (text: string) =>
    subjectsOf({ file: 'a.c', line: 1, text, message: "type specifier missing, defaults to 'int'" }).missing
  t.deepEqual(told('MODULE_SUPPORTED_DEVICE("acme");'), { kind: 'name', name: 'MODULE_SUPPORTED_DEVICE' })
  t.is(told('static acme_value = 3;'), undefined)
})

test('a message that names what is missing is about that alone', (t) => {
  t.deepEqual(complain(11, "call to undeclared function 'first'; ISO C99 and later do not").missing, {
    kind: 'name',
    name: 'first',
  })
  t.deepEqual(complain(11, "no member named 'x' in 'struct net_device'").missing, {
    kind: 'field',
    struct: 'net_device',
    name: 'x',
  })
  t.deepEqual(complain(1, "'linux/genhd.h' file not found").missing, { kind: 'header', name: 'linux/genhd.h' })
  t.deepEqual(complain(11, "variable has incomplete type 'struct timespec'").missing, {
    kind: 'name',
    name: 'timespec',
    isType: true,
  })
})

test('a message names types; a statement reads members and calls what they point to, its own arguments last', (t) => {
  const text = 'void f(struct kiocb *iocb)\n{\n\tiocb->ki_complete(iocb, done(1), 0);\n}\n'
  const said = subjectsOf({ file: 'a.c', line: 3, text, message: "passing 'filldir_t' (aka 'int (*)(struct x *)') to" })
  t.deepEqual(
    said.used.map(({ name }) => name),
    ['done', 'filldir_t'],
  )
  t.deepEqual(said.read, [{ struct: 'kiocb', members: ['ki_complete'] }])
})

test('an initialiser on one line, and designators that lead through members', (t) => {
  const text = 'static struct gpio_chip chip __initdata = { .label = "a, b", .irq.init_hw = f };\n'
  t.deepEqual(subjectsOf({ file: 'a.c', line: 1, text, message: 'incompatible' }).set, [
    { struct: 'gpio_chip', members: ['label'] },
    { struct: 'gpio_chip', members: ['irq', 'init_hw'] },
  ])
})

test('which macro a name is given to, and as which argument', (t) => {
  t.deepEqual(macrosAround('EXPORT_SYMBOL_NS_GPL(card, CARD);\n', 1, 'CARD'), [
    { macro: 'EXPORT_SYMBOL_NS_GPL', argument: 1 },
  ])
  t.deepEqual(macrosAround('f(g + CARD);\n', 1, 'CARD'), [])
})

test('any other message may be about what the statement uses: calls over several lines, operations it sets', (t) => {
  t.deepEqual(
    complain(12, 'too many arguments to function call').used.map(({ name }) => name),
    ['first', 'second'],
  )
  t.deepEqual(complain(5, 'incompatible function pointer types initializing').set, [
    { struct: 'platform_driver', members: ['remove'] },
  ])
})

test('a statement ends where the next begins', (t) => {
  t.regex(statementAt(TEXT, 11).statement, /^\treturn first\(1,\n.*second\(2\)\);$/)
  t.deepEqual(statementAt(TEXT, 5).initialiser, { struct: 'platform_driver', members: [] })
  t.is(statementAt(TEXT, 11).initialiser, undefined)
  t.deepEqual(statementAt('', 1), { statement: '', from: 0 })
})

test('version tests around a line, #else among them', (t) => {
  t.deepEqual(versionTestsAt(TEXT, 11), [{ line: 10, text: '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)' }])
  t.deepEqual(versionTestsAt(TEXT, 14), [
    { line: 10, text: '#else of #if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)' },
  ])
  t.deepEqual(versionTestsAt(TEXT, 16), [])
})
