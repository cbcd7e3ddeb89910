import test from 'ava'
import { costOf, jobCost } from '../../pipeline/estimate.ts'

const offer = (bytes: number) => ({ name: 'linux-6.1', version: '6.1.192-2', bytes })
const SMALL = { files: 1, until: 'link' } as const

test('what is downloaded is what Debian says; everything else grows with it', (t) => {
  const [small, large] = [costOf(offer(100e6), SMALL), costOf(offer(200e6), SMALL)]
  t.is(small.downloadBytes, 100e6)
  t.is(large.diskBytes, 2 * small.diskBytes)
  t.true(large.cacheBytes > small.cacheBytes && large.coldSeconds > small.coldSeconds)
  t.true(small.cacheBytes > small.downloadBytes && small.cacheBytes < small.diskBytes)
})

test('files cost compiling, and a rung above link a kernel', (t) => {
  const link = costOf(offer(100e6), SMALL)
  t.true(costOf(offer(100e6), { ...SMALL, files: 150 }).coldSeconds > link.coldSeconds)
  t.deepEqual(costOf(offer(100e6), { ...SMALL, until: 'compile' }), link)
  const verify = costOf(offer(100e6), { ...SMALL, until: 'verify' })
  t.true(verify.coldSeconds > link.coldSeconds + 60 && verify.cacheBytes > link.cacheBytes)
})

test('a job of a CI system starts without a program of ours, and restores what it keeps', (t) => {
  const job = jobCost(costOf(offer(140e6), SMALL))
  t.true(job.jobColdSeconds > job.coldSeconds && job.jobWarmSeconds > job.warmSeconds)
  t.true(job.jobColdSeconds > job.jobWarmSeconds)
})
