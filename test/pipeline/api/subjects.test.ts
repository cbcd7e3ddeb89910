import test from 'ava'
import { statementAt, subjectsOf, versionTestsAt } from '../../../pipeline/api/subjects.ts'

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
  })
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
  t.deepEqual(statementAt('', 1), { statement: '' })
})

test('version tests around a line, #else among them', (t) => {
  t.deepEqual(versionTestsAt(TEXT, 11), [{ line: 10, text: '#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)' }])
  t.deepEqual(versionTestsAt(TEXT, 14), [
    { line: 10, text: '#else of #if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)' },
  ])
  t.deepEqual(versionTestsAt(TEXT, 16), [])
})
