/**
 * KCIDB I/O schema 5.3 as a JSON Schema, in our own words: the facts of github.com/kernelci/kcidb-io,
 * kcidb_io/schema/v05_03.py (and the patterns it takes from its parents). No package carries it for Node.
 */

const text = { type: 'string', pattern: '^[^\\u0000]*$' }
const uri = { type: 'string', format: 'uri' }
const time = { type: 'string', format: 'date-time' }
const seconds = { type: 'number' }
const excerpt = { ...text, maxLength: 16_384 }
const flag = { type: 'boolean' }
const misc = { type: 'object' }
const origin = { type: 'string', pattern: '^[a-z0-9_]+$' }
const id = { type: 'string', pattern: '^[a-z0-9_]+:.*$' }
const revision = { type: 'integer', minimum: 0 }
const status = { enum: ['FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP'] }
const path = { type: 'string', pattern: '^([a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_-]+)*)?$' }

const list = (items: object) => ({ type: 'array', items })
const object = (properties: Readonly<Record<string, object>>, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

const resources = list(object({ name: { type: 'string', pattern: '^[^/\\u0000]+$' }, url: uri }, ['name', 'url']))
const common = { _timestamp: time, id, origin, comment: text, misc }

const checkout = object(
  {
    ...common,
    tree_name: text,
    git_repository_url: { ...uri, pattern: '^https://.*$' },
    git_commit_hash: { type: 'string', pattern: '^[0-9a-f]{40}$' },
    git_commit_name: text,
    git_commit_tags: list(text),
    git_commit_message: text,
    git_repository_branch: text,
    git_repository_branch_tip: flag,
    patchset_files: resources,
    patchset_hash: { type: 'string', pattern: '^$|^[0-9a-f]{64}$' },
    message_id: { type: 'string', format: 'email' },
    start_time: time,
    origin_builds_finish_time: time,
    origin_tests_finish_time: time,
    log_url: uri,
    log_excerpt: excerpt,
    valid: flag,
  },
  ['id', 'origin'],
)

const build = object(
  {
    ...common,
    checkout_id: id,
    start_time: time,
    duration: seconds,
    architecture: { type: 'string', pattern: '^[a-z0-9_]*$' },
    command: text,
    compiler: text,
    input_files: resources,
    output_files: resources,
    config_name: text,
    config_url: uri,
    log_url: uri,
    log_excerpt: excerpt,
    status,
  },
  ['checkout_id', 'id', 'origin'],
)

const compatible = list({ type: 'string', pattern: '^[^ \\u0000]+(,[^ \\u0000]+)*$' })
const measured = object({ value: { type: 'number' }, unit: text, prefix: { enum: ['metric', 'binary'] } }, ['value'])

const testRun = object(
  {
    ...common,
    build_id: id,
    environment: object({ compatible, comment: text, misc }),
    path,
    log_url: uri,
    log_excerpt: excerpt,
    status,
    number: measured,
    start_time: time,
    duration: seconds,
    input_files: resources,
    output_files: resources,
  },
  ['build_id', 'id', 'origin'],
)

const issue = object(
  {
    ...common,
    version: revision,
    categories: list(path),
    report_url: uri,
    report_subject: text,
    culprit: object({ code: flag, tool: flag, harness: flag }),
  },
  ['id', 'version', 'origin'],
)

const incident = object(
  { ...common, issue_id: id, issue_version: revision, build_id: id, test_id: id, present: flag },
  ['id', 'origin', 'issue_id', 'issue_version'],
)

export const kcidbSchema = object(
  {
    version: object({ major: { const: 5 }, minor: { type: 'integer', minimum: 0, maximum: 3 } }, ['major']),
    checkouts: list(checkout),
    builds: list(build),
    tests: list(testRun),
    issues: list(issue),
    incidents: list(incident),
  },
  ['version'],
)
