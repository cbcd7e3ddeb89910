/** How the page names things: rungs, changes, and the sentences that explain them. */
import { LADDER, RUNGS } from '../../../ladder.ts'
import { type Change, type Row } from './model.ts'

export const rungName = (rung: number): string => RUNGS[rung] ?? ''
/** Colours from the farthest below what was asked for (0) to the goal (5) and beyond; page.css has them. */
const GOAL_TONE = 5
const LAST_TONE = 10

/** The tone of a rung where `goal` was asked for. */
export const toneOf = (rung: number, goal: number): number =>
  rung < goal ? Math.max(0, GOAL_TONE - (goal - rung)) : Math.min(LAST_TONE, GOAL_TONE + rung - goal)

/** What reaching a rung means, for the ladder's tooltips and the help. */
export const rungMeaning = (rung: number): string => LADDER[rung]?.means ?? ''

interface ChangeWords {
  /** Never alone: always beside the word. */
  readonly sign: string
  readonly word: string
  readonly meaning: string
}

export const CHANGE_WORDS: Readonly<Record<Change, ChangeWords>> = {
  '': { sign: '', word: '', meaning: '' },
  gained: { sign: '▲', word: 'gained', meaning: 'higher on the ladder than before' },
  lost: { sign: '▼', word: 'lost', meaning: 'lower on the ladder than before' },
  changed: { sign: '≠', word: 'changed', meaning: 'as high as before, for another reason' },
  detailed: { sign: '≈', word: 'detailed', meaning: 'as high as before, for the same reason, with other specifics' },
  unfinished: { sign: '…', word: 'unfinished', meaning: 'interrupted in one of the two: nothing is known' },
  appeared: { sign: '+', word: 'appeared', meaning: 'only in this matrix' },
  vanished: { sign: '−', word: 'vanished', meaning: 'only in the other matrix' },
  same: { sign: '', word: 'same', meaning: 'no difference' },
}

export const changeText = (change: Change): string => {
  const { sign, word } = CHANGE_WORDS[change]
  return change === 'same' ? '' : `${sign} ${word}`.trim()
}

/** What the row stopped at, in one line. */
export const stopText = (row: Row): string => [row.reason, row.detail].filter(Boolean).join(': ')
