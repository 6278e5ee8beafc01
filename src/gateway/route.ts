import { Failure } from '../core/failure.ts'
import type { Dialect } from '../core/dialect.ts'
import { sandboxSecret, type Ladder, type Rung } from '../core/ladder.ts'
import type { Snapshot, VendorSetup } from '../core/snapshot.ts'
import type { Model } from '../core/vendor.ts'

/** No model's name is longer: one that is comes from a mistake, and would be kept in receipts. */
const nameLengthMax = 200

/** What a call asks of routing besides its model. */
interface Wish {
  dialect: Dialect
  /** A fault of the sandbox, asked for by header. */
  fault: string | undefined
  callerId: string
}

/** Step 4: which models may answer. Throws Failure `model-unknown` with the nearest names, or `vendor-keyless`. */
export function route(snapshot: Snapshot, asked: string, wish: Wish): Ladder {
  const named = asked.startsWith(sandboxPrefix) ? asked.slice(sandboxPrefix.length) : undefined
  const model = named === undefined ? asked : sandboxModel(snapshot, wish.dialect)
  const fault = wish.fault ?? named
  const rung = fault === undefined ? rungOf(snapshot, model) : faultyRung(snapshot, model, fault, wish.callerId)
  return { rungs: [rung], triesMax: snapshot.triesMax, deadlines: snapshot.deadlines }
}

const sandboxPrefix = 'sandbox/'

/** The model behind `sandbox/…`: of the vendor whose own dialect the caller speaks, the one that refuses least. */
function sandboxModel(snapshot: Snapshot, dialect: Dialect): string {
  const models = [...snapshot.models.values()].filter((model) => model.vendor === dialect.native)
  const [first] = models.toSorted((one, other) => (one.refuses?.length ?? 0) - (other.refuses?.length ?? 0))
  return first?.id ?? dialect.native
}

/** The simulated vendor of this model, told to fail in this way; `ok` is no fault. */
function faultyRung(snapshot: Snapshot, asked: string, fault: string, callerId: string): Rung {
  const { setup, model } = resolve(snapshot, asked)
  const { sandbox } = snapshot
  if (sandbox === undefined || setup.sandbox === undefined) {
    throw new Failure('not-allowed', 'Faults on demand need the sandbox, which is off.', {
      fix: 'The operator can turn it on with sandbox: { enabled: true }.',
    })
  }
  const plain = fault === 'ok'
  const problem = plain ? undefined : sandbox.refusal(fault)
  if (problem !== undefined) {
    throw new Failure('request-invalid', problem, { path: 'model', fix: 'GET /sandbox/faults lists the faults.' })
  }
  const headers = plain ? {} : { [sandbox.faultHeader]: fault, [sandbox.callerHeader]: callerId }
  return { vendor: setup.vendor, model, ...setup.sandbox, secret: sandboxSecret, simulated: true, headers }
}

function rungOf(snapshot: Snapshot, asked: string): Rung {
  const { setup, model } = resolve(snapshot, asked)
  const { vendor, secret } = setup
  if (secret === undefined) {
    throw new Failure('vendor-keyless', `This gateway has no key for ${vendor.title}, who makes ${model.id}.`, {
      vendor: vendor.name,
      fix: `The operator must set ${vendor.keyNames.join(' or ')} and start the gateway again, or turn the sandbox on.`,
    })
  }
  return { vendor, model, origin: setup.origin, base: setup.base, secret, simulated: setup.simulated }
}

/** The vendor and model that a name stands for: an alias, a catalogue name, `vendor/model`, or a vendor's prefix. */
export function resolve(snapshot: Snapshot, asked: string): { setup: VendorSetup; model: Model } {
  const name = snapshot.aliases.get(asked) ?? asked
  // Half a character, which JSON can hold, cannot stand in the path of a URL.
  if (name.length > nameLengthMax || !name.isWellFormed()) throw unknown(snapshot, asked)
  const known = snapshot.models.get(name)
  if (known !== undefined) return { setup: snapshot.vendors.get(known.vendor) as VendorSetup, model: known }
  const slash = name.indexOf('/')
  if (slash > 0 && slash < name.length - 1) {
    const setup = snapshot.vendors.get(name.slice(0, slash))
    if (setup !== undefined) return { setup, model: modelOf(snapshot, setup, name.slice(slash + 1)) }
  }
  for (const setup of snapshot.vendors.values()) {
    if (setup.vendor.models.test(name)) return { setup, model: modelOf(snapshot, setup, name) }
  }
  throw unknown(snapshot, asked)
}

function unknown(snapshot: Snapshot, asked: string): Failure {
  const model = asked.slice(0, 100)
  return new Failure('model-unknown', `model: ${model} is not known here${nearest(snapshot, model)}`, {
    path: 'model',
    model,
  })
}

/** The catalogue's facts for a dated name are those of its undated line; a wholly new name has none. */
function modelOf(snapshot: Snapshot, setup: VendorSetup, id: string): Model {
  const undated = id.replace(/(-\d{8}|-\d{4}-\d{2}-\d{2}|-latest)$/, '')
  const known = snapshot.models.get(id) ?? snapshot.models.get(undated)
  if (known?.vendor === setup.vendor.name) return known.id === id ? known : { ...known, id }
  return { id, vendor: setup.vendor.name }
}

function nearest(snapshot: Snapshot, asked: string): string {
  const scored = [...snapshot.models.keys(), ...snapshot.aliases.keys()]
    .map((name) => ({ name, distance: distance(name, asked.toLowerCase()) }))
    .filter((one) => one.name !== asked && one.distance <= Math.max(1, asked.length / 3))
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, 3)
  return scored.length === 0 ? '' : `. Did you mean ${scored.map((one) => `'${one.name}'`).join(', ')}?`
}

/** Levenshtein's distance. */
function distance(one: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, index) => index)
  for (let line = 1; line <= one.length; line += 1) {
    const next = [line]
    for (let column = 1; column <= target.length; column += 1) {
      const swap = (row[column - 1] as number) + (one[line - 1] === target[column - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[column] as number) + 1, (next[column - 1] as number) + 1))
    }
    row = next
  }
  return row[target.length] as number
}
