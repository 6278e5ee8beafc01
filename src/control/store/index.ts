import { AuditTable } from './audit.ts'
import { CaptureTable } from './captures.ts'
import { CredentialTable } from './credentials.ts'
import { openDatabase, type Database } from './database.ts'
import { KeyTable } from './keys.ts'
import { OwnerTable } from './owners.ts'
import { PlanTable } from './plans.ts'
import { Receipts } from './receipts.ts'
import { JournalSink, type SinkOptions } from './sink.ts'
import { ThresholdTable } from './thresholds.ts'
import { TokenTable } from './tokens.ts'
import { UsageSums } from './usage.ts'

/** Everything that outlives the process, in one database. */
export interface Store {
  readonly keys: KeyTable
  readonly owners: OwnerTable
  readonly plans: PlanTable
  readonly tokens: TokenTable
  readonly credentials: CredentialTable
  readonly audit: AuditTable
  readonly receipts: Receipts
  readonly usage: UsageSums
  readonly captures: CaptureTable
  readonly thresholds: ThresholdTable
  /** Where the journals of calls go. */
  sink(options: SinkOptions): JournalSink
  transaction<T>(work: () => T): T
  close(): void
}

/** Opens or makes the store in a folder. Throws ConfigError where that cannot be. */
export function openStore(folder: string): Store {
  return storeOn(openDatabase(folder))
}

/** The store on a database that is open. */
export function storeOn(database: Database): Store {
  return {
    keys: new KeyTable(database),
    owners: new OwnerTable(database),
    plans: new PlanTable(database),
    tokens: new TokenTable(database),
    credentials: new CredentialTable(database),
    audit: new AuditTable(database),
    receipts: new Receipts(database),
    usage: new UsageSums(database),
    captures: new CaptureTable(database),
    thresholds: new ThresholdTable(database),
    sink: (options) => new JournalSink(database, options),
    transaction: (work) => database.transaction(work),
    close: () => database.close(),
  }
}
