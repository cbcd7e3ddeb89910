import { readFileSync } from 'node:fs'
import test from 'ava'
import { products } from '../../linux-api/generate.ts'

for (const [path, text] of products()) {
  test(`${path} is what the ABI table generates`, (t) => {
    t.is(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text, 'run `node linux-api/generate.ts`')
  })
}
