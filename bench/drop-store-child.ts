import { Child } from './child.ts'

/** The store that keeps nothing, running. */
export interface DropStore {
  readonly child: Child
  /** For the service that is to put there. */
  readonly env: Readonly<Record<string, string>>
  /** From now on it takes what it gets. */
  open (): void
}

export async function startDropStore ({ isOpen }: { readonly isOpen: boolean }): Promise<DropStore> {
  const child = new Child(process.execPath, ['--import', 'tsx', 'bench/drop-store.ts', ...isOpen ? ['open'] : []])
  const [, port] = await child.prints(/listening on (\d+)/)
  return {
    child,
    env: {
      SLUICE_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      SLUICE_S3_ACCESS_KEY_ID: 'a',
      SLUICE_S3_SECRET_ACCESS_KEY: 'b',
      SLUICE_SPOOL_LIMIT: '60GB'
    },
    open () { child.process.kill('SIGUSR2') }
  }
}
