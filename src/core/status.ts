/** How the models stand, by the gateway's own calls and by the vendors' own pages: what /status tells. Times are Unix milliseconds. */
export interface Status {
  readonly nowMs: number
  /** When counting began. */
  readonly sinceMs: number
  /** One entry a model of a vendor; its credentials are counted as one, and none is named. */
  readonly models: readonly ModelStatus[]
  /** Undefined where the operator has switched them off. */
  readonly pages: readonly VendorPage[] | undefined
}

/** One model of one vendor. */
export interface ModelStatus {
  readonly vendor: string
  readonly model: string
  readonly simulated: boolean
  /** As a `Standing` of core/ladder.ts tells them. */
  readonly standing: 'well' | 'probe' | 'resting' | 'barred' | 'full'
  /** Why it rests. */
  readonly reason?: string
  /** When it may be asked again. */
  readonly untilMs?: number
  readonly windows: Readonly<Record<WindowName, WindowStatus>>
}

/** The last minute, quarter of an hour, and day. */
export type WindowName = 'minute' | 'quarter' | 'day'

/** The tries that ended within one span of time, by how they ended. */
export interface WindowStatus {
  readonly calls: number
  readonly ok: number
  /** 429. */
  readonly limited: number
  /** 529 and 503. */
  readonly overloaded: number
  /** Any other 5xx, an answer that is none, and no answer at all. */
  readonly broken: number
  /** The vendor did not take the gateway's credential. */
  readonly refused: number
  /** Nobody's fault but the request's, or its caller had gone. */
  readonly other: number
  /** From the request to the first content of its answer. */
  readonly p50Ms?: number
  readonly p95Ms?: number
}

/** What a vendor's own status page said when it was last read. */
export interface VendorPage {
  readonly vendor: string
  /** For people. */
  readonly url: string
  readonly state: 'operational' | 'degraded' | 'outage' | 'maintenance' | 'unknown'
  readonly summary: string
  readonly incidents: readonly VendorIncident[]
  /** When it was read; undefined while it never was. */
  readonly readMs?: number
  /** Why it could not be read since, for people. */
  readonly problem?: string
}

/** Something that the vendor says is going on. */
export interface VendorIncident {
  readonly title: string
  readonly url?: string
  readonly sinceMs?: number
}

/** The forms of status pages that can be read: control/status-pages has a reader for each. */
export type StatusPageForm = 'statuspage' | 'google' | 'xai' | 'deepseek'

/** Where a vendor tells how it does. */
export interface StatusPage {
  readonly form: StatusPageForm
  /** The page for people, scheme and host; what is read of it is told by its form. */
  readonly url: string
}

/**
 * The windows of several credentials as one. Counts are sums. A percentile of percentiles is an estimate, unless all good
 * calls were in one window: it is the least of those given that windows with so large a share of the good calls keep to.
 */
export function merge(windows: readonly WindowStatus[]): WindowStatus {
  const sum = (field: 'calls' | 'ok' | 'limited' | 'overloaded' | 'broken' | 'refused' | 'other'): number =>
    windows.reduce((total, window) => total + window[field], 0)
  const p50Ms = percentile(windows, 'p50Ms', 0.5)
  const p95Ms = percentile(windows, 'p95Ms', 0.95)
  return {
    calls: sum('calls'),
    ok: sum('ok'),
    limited: sum('limited'),
    overloaded: sum('overloaded'),
    broken: sum('broken'),
    refused: sum('refused'),
    other: sum('other'),
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p95Ms !== undefined && { p95Ms }),
  }
}

function percentile(windows: readonly WindowStatus[], field: 'p50Ms' | 'p95Ms', share: number): number | undefined {
  // A call that broke off after its first content has a time, and is not counted as good: so none weighs nothing.
  const parts = windows
    .map((window) => ({ ms: window[field], weight: Math.max(1, window.ok) }))
    .filter((part): part is { ms: number; weight: number } => part.ms !== undefined)
    .toSorted((one, other) => one.ms - other.ms)
  const whole = parts.reduce((total, part) => total + part.weight, 0)
  let reached = 0
  return parts.find((part) => (reached += part.weight) >= share * whole)?.ms
}
