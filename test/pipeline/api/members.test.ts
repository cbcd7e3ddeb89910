import test from 'ava'
import { assignedIn, initialiserAt, memberAt, throughOwn } from '../../../pipeline/api/members.ts'
import { smallApiTree } from './_trees.ts'

const { tree, remove } = await smallApiTree('6.1.1', {
  'include/linux/gpio.h': `
struct gpio_irq_chip {
	int (*init_hw)(struct gpio_chip *chip);
};
struct gpio_chip {
	struct gpio_irq_chip irq;
	void (*set)(struct gpio_chip *chip, int value);
};
`,
})
test.after.always(remove)

const DRIVER = `
struct card {
	int revision;
	struct gpio_chip gpio;
};

void fill(struct card *card, struct gpio_chip *const other)
{
	card->gpio.set = f;
	card->gpio.irq.init_hw = g;
	other->set = f;
	*other = (struct gpio_chip){
		.set = f,
	};
}
static struct card cards[] = {
	[0] = {
		.gpio = {
			.irq = {
				.init_hw = g,
			},
		},
	},
};
`
const lines = DRIVER.split('\n')
const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1

const assigned = (text: string) => {
  const way = assignedIn(text, DRIVER, lineOf(text))
  return way && throughOwn(way, DRIVER)
}

test("an assignment leads through the driver's own structures to the kernel's", (t) => {
  t.deepEqual(assigned('card->gpio.set = f;'), { struct: 'gpio_chip', members: ['set'] })
  t.deepEqual(assigned('card->gpio.irq.init_hw = g;'), { struct: 'gpio_chip', members: ['irq', 'init_hw'] })
  t.deepEqual(assigned('other->set = f;'), { struct: 'gpio_chip', members: ['set'] })
})

test('operators that set, and those that only compare', (t) => {
  const text = 'struct vm_area_struct *vma;\nstruct net_device *dev;\n'
  const of = (statement: string) => assignedIn(statement, text, 3)
  t.deepEqual(of('vma->vm_flags |= VM_IO;'), { struct: 'vm_area_struct', members: ['vm_flags'] })
  t.deepEqual(of('dev->dev_addr[5] = last;'), { struct: 'net_device', members: ['dev_addr'] })
  t.deepEqual(of('dev->count++;'), { struct: 'net_device', members: ['count'] })
  t.is(of('if (dev->count == 3)'), undefined)
  t.is(of('nobody->knows = 3;'), undefined)
})

test('initialisers: nested, of an array, and without a variable', (t) => {
  t.deepEqual(initialiserAt(lines, lineOf('.init_hw = g,')), { struct: 'card', members: ['gpio', 'irq'] })
  t.deepEqual(initialiserAt(lines, lineOf('		.set = f,')), { struct: 'gpio_chip', members: [] })
  t.is(initialiserAt(lines, lineOf('other->set = f;')), undefined)
})

test('a tree tells of what type the members on the way are', async (t) => {
  const field = { kind: 'field', struct: 'gpio_irq_chip', name: 'init_hw' } as const
  t.deepEqual(await memberAt(tree, { struct: 'gpio_chip', members: ['irq', 'init_hw'] }), field)
  t.is(await memberAt(tree, { struct: 'gpio_chip', members: ['nothing', 'init_hw'] }), undefined)
})
