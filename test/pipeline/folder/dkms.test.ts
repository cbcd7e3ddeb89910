/** dkms.conf as dkms reads it: for which kernels, with which patches, by which command. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { readDkms, type Dkms } from '../../../pipeline/folder/dkms.ts'
import { UsageError } from '../../../pipeline/errors.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-dkms-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

const HEAD = 'PACKAGE_NAME=acme\nPACKAGE_VERSION=1.0\n'
const OPTIONS = new Map([
  ['PCI', 'y'],
  ['USB', 'm'],
])

let count = 0
async function read(text: string, release = '6.12.5', file = 'dkms.conf'): Promise<Dkms | undefined> {
  const dir = path.join(work, String(count++))
  await fs.mkdir(dir)
  await fs.writeFile(path.join(dir, file), text)
  const kernel = { headers: '/headers', programs: '/none', facts: '/none', release }
  const searchPath = process.env['PATH'] ?? ''
  return readDkms({ dir, tree: '/dkms', kernel, config: (name) => OPTIONS.get(name), searchPath }, '/home/acme')
}

test('modules and the command, with what dkms sets', async (t) => {
  const made = await read(`${HEAD}
MAKE[0]="make -C \${kernel_source_dir} M=\${dkms_tree}/\${PACKAGE_NAME}/\${PACKAGE_VERSION}/build KVER=$kernelver"
BUILT_MODULE_NAME[0]="one"
BUILT_MODULE_LOCATION[0]="./src/"
BUILT_MODULE_NAME[1]="two"
PRE_BUILD="configure.sh $kernelver"
`)
  t.deepEqual(made, {
    name: 'acme',
    version: '1.0',
    modules: [
      { name: 'one', dir: 'src' },
      { name: 'two', dir: '' },
    ],
    command: 'make -C /headers M=/dkms/acme/1.0/build KVER=6.12.5',
    before: 'configure.sh 6.12.5',
    patches: [],
  })
})

test('what an installer would fill in is empty', async (t) => {
  const made = await read(
    `${HEAD}MAKE="make KVER=${'$'}{kernelver} CFLAGS_MODULE+=@CFLAGS@"\nPRE_BUILD="@PREPARE@ ./x.sh"\n`,
  )
  t.like(made, { command: 'make KVER=6.12.5 CFLAGS_MODULE+=', before: ' ./x.sh' })
})

test('a template of one is read as it is, with a version that is the same wherever it stands', async (t) => {
  const text = `PACKAGE_NAME=acme
PACKAGE_VERSION="@VERSION@"
MAKE="make M=\${dkms_tree}/acme/\${PACKAGE_VERSION}/build FLAGS=@FLAGS@"
BUILD_EXCLUSIVE_KERNEL_MIN=5.12
`
  const made = { version: '0', command: 'make M=/dkms/acme/0/build FLAGS=' }
  for (const file of ['dkms.conf', 'dkms.conf.in', 'dkms.conf.am']) t.like(await read(text, '6.1.9', file), made, file)
  t.truthy((await read(text, '5.10.9', 'dkms.conf.in'))?.excluded)
  t.is(await read(text, '6.1.9', 'dkms.conf.orig'), undefined)
})

test('scalars are arrays of one, and shell is shell', async (t) => {
  const made = await read(`${HEAD}
MAKE="make modules"
BUILT_MODULE_NAME=$PACKAGE_NAME
if [ "\${kernelver%%.*}" -ge 6 ]; then PATCH+=("new.patch"); fi
`)
  t.like(made, { command: 'make modules', modules: [{ name: 'acme', dir: '' }], patches: ['new.patch'] })
})

test('patches and commands for some kernels only', async (t) => {
  const text = `${HEAD}
PATCH[0]="all.patch"
PATCH[1]="new.patch"
PATCH_MATCH[1]="^(6\\.(1[2-9])|7\\.)"
MAKE[0]="make old"
MAKE[1]="make new"
MAKE_MATCH[1]="^[7-9]\\."
`
  t.like(await read(text, '6.1.9'), { patches: ['all.patch'], command: 'make old' })
  t.like(await read(text, '6.12.1'), { patches: ['all.patch', 'new.patch'], command: 'make old' })
  t.like(await read(text, '7.2.0'), { patches: ['all.patch', 'new.patch'], command: 'make new' })
})

test('kernels that it is not for', async (t) => {
  const excluded = async (line: string, release?: string) => (await read(`${HEAD}${line}\n`, release))?.excluded
  t.is(await excluded('BUILD_EXCLUSIVE_KERNEL="^6\\."'), undefined)
  t.is(
    await excluded('BUILD_EXCLUSIVE_KERNEL="^[[:digit:]]+\\.[45]\\."'),
    'dkms.conf: BUILD_EXCLUSIVE_KERNEL="^[[:digit:]]+\\.[45]\\."',
  )
  t.truthy(await excluded('BUILD_EXCLUSIVE_KERNEL_MIN=6.13'))
  t.is(await excluded('BUILD_EXCLUSIVE_KERNEL_MIN=6.2'), undefined)
  t.truthy(await excluded('BUILD_EXCLUSIVE_KERNEL_MAX=6.9'))
  t.is(await excluded('BUILD_EXCLUSIVE_CONFIG="CONFIG_PCI CONFIG_USB !CONFIG_NONE"'), undefined)
  t.truthy(await excluded('BUILD_EXCLUSIVE_CONFIG="CONFIG_NONE"'))
  t.truthy(await excluded('BUILD_EXCLUSIVE_CONFIG="!CONFIG_PCI"'))
})

test('what cannot be read is refused by its name in the folder', async (t) => {
  const refused = (text: string) => t.throwsAsync(read(text), { instanceOf: UsageError })
  t.like(await refused('PACKAGE_NAME=acme\n'), {
    where: '/home/acme/dkms.conf',
    expected: 'PACKAGE_NAME and PACKAGE_VERSION',
  })
  t.like(await refused(`${HEAD}PATCH[0]=a\nPATCH_MATCH[0]="("\n`), { found: '(' })
  t.like(await refused('if\n'), { where: '/home/acme/dkms.conf' })
})
