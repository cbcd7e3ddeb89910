/** Plans whose workflows tests look at: names that need care, both ways of getting drvport. */
import type { CiPlan } from '../../../pipeline/ci/types.ts'

export const PLAN: CiPlan = {
  driver: './drivers/acme',
  trees: ['linux-6.1', 'linux-6.12@6.12.94', 'linux-unstable'],
  until: 'link',
  origin: { kind: 'folder', folder: 'drvport' },
  branch: 'main',
}

export const PLANS: readonly CiPlan[] = [
  PLAN,
  { ...PLAN, origin: { kind: 'clone', url: 'https://example.org/drvport.git', ref: '0123abc' } },
  {
    driver: `./my "own" driver's: {größe} #1`,
    trees: ['linux-unstable'],
    until: 'verify',
    origin: { kind: 'folder', folder: "tools/it's drvport" },
    branch: "feature/it's#1",
  },
]
