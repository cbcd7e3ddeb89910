import test from 'ava'
import { isGplCompatible, licenseProblem } from '../../../pipeline/source/license.ts'
import { spdxOf } from '../../../pipeline/source/spdx.ts'

test('SPDX expressions in the comments of C, headers, scripts and Makefiles', (t) => {
  const said = {
    '// SPDX-License-Identifier: GPL-2.0\n#include <x.h>': 'GPL-2.0',
    '/* SPDX-License-Identifier: GPL-2.0-only */': 'GPL-2.0-only',
    '/* SPDX-License-Identifier: (GPL-2.0+ WITH Linux-syscall-note)  OR   BSD-3-Clause*/':
      '(GPL-2.0+ WITH Linux-syscall-note) OR BSD-3-Clause',
    '/*\n * Copyright\n * SPDX-License-Identifier:\tMIT\n */': 'MIT',
    '# SPDX-License-Identifier: GPL-2.0\r\nobj-m := x.o': 'GPL-2.0',
    '/* licensed as the file beside it */': 'NONE',
    '/* SPDX-License-Identifier: */': 'NONE',
  }
  for (const [text, expression] of Object.entries(said)) t.is(spdxOf(text), expression, text)
})

test('every text that Linux takes as GPL-compatible, and near misses', (t) => {
  for (const text of ['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'])
    t.true(isGplCompatible(text), text)
  for (const text of ['gpl', 'GPLv2', 'GPL v3', 'BSD', 'Proprietary', '']) t.false(isGplCompatible(text), text)
})

test('a module is refused for its licence only where it uses what is GPL-only', (t) => {
  t.is(licenseProblem(['Proprietary'], []), undefined)
  t.is(licenseProblem(['GPL'], ['a', 'b']), undefined)
  t.regex(licenseProblem(['GPL', 'Proprietary'], ['a']) ?? '', /MODULE_LICENSE\("Proprietary"\).* a \(GPL-only\)/)
  t.regex(licenseProblem([], ['a', 'b', 'c']) ?? '', /no MODULE_LICENSE.* a and 2 more/)
})
