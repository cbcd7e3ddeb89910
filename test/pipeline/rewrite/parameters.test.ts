import test from 'ava'
import { parametersOf } from '../../../pipeline/rewrite/parameters.ts'

const SOURCE = `
static int other(int a);
static netdev_tx_t __init xmit(struct sk_buff *skb,
			       const struct net_device **dev, int (*done)(void *), u8 mac[6])
{
	return other(1);
}
void *find(void) { return 0; }
static void grow(int count, ...) { }
`

test('parameters of a definition are named as the source declares them', async (t) => {
  t.deepEqual(await parametersOf(SOURCE, 'xmit'), [
    { name: 'skb', declaration: 'struct sk_buff *skb' },
    { name: 'dev', declaration: 'const struct net_device **dev' },
    { name: 'done', declaration: 'int (*done)(void *)' },
    { name: 'mac', declaration: 'u8 mac[6]' },
  ])
  t.deepEqual(await parametersOf(SOURCE, 'find'), [])
  t.deepEqual(await parametersOf(SOURCE, 'grow'), [{ name: 'count', declaration: 'int count' }])
})

test('a function that is only declared has no definition to read', async (t) => {
  t.is(await parametersOf(SOURCE, 'other'), undefined)
  t.is(await parametersOf(SOURCE, 'missing'), undefined)
})
