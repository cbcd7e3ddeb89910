/** A check: one thing that was tried, and whether it held. */

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** Run one check; whatever goes wrong becomes its detail. */
export async function attempt(
  name: string,
  body: () => Promise<string | readonly [ok: boolean, detail: string]>,
): Promise<Check> {
  try {
    const outcome = await body()
    return typeof outcome === 'string'
      ? { name, ok: true, detail: outcome }
      : { name, ok: outcome[0], detail: outcome[1] }
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message }
  }
}
