import test from 'ava'
import { parseDiagnostics } from '../../../pipeline/toolchain/diagnostics.ts'

const said = `In file included from drivers/x.c:3:
include/linux/y.h:12:5: warning: unused variable 'a' [-Wunused-variable]
drivers/x.c:40:2: error: expected ';' after expression
   40 |         foo()
drivers/x.c:40:2: error: expected ';' after expression
drivers/x.c:1:10: fatal error: 'nothing.h' file not found
clang-19: error: unknown argument: '-fnope'
2 errors generated.
`

test('errors come with file and line, each once, warnings on request', (t) => {
  t.deepEqual(parseDiagnostics(said), [
    { file: 'drivers/x.c', line: 40, message: "expected ';' after expression" },
    { file: 'drivers/x.c', line: 1, message: "'nothing.h' file not found" },
    { file: '', line: 0, message: "unknown argument: '-fnope'" },
  ])
  t.is(parseDiagnostics(said, { warnings: true }).length, 4)
})
