import { named, type Named, type Names } from '../core/catalogue.ts'
import { Failure } from '../core/failure.ts'
import type { Dialect } from '../core/dialect.ts'
import { sandboxSecret, type Credential, type Ladder, type Rung } from '../core/ladder.ts'
import type { Caller } from '../core/caller.ts'
import { fitsPattern } from '../core/pattern.ts'
import type { Plan } from '../core/plan.ts'
import type { LadderPlan, Level, Snapshot } from '../core/snapshot.ts'

/** What a call asks of routing besides its model. */
export interface Wish {
  dialect: Dialect
  caller: Caller
  plan: Plan
  /** A fault of the sandbox, asked for by header. */
  fault: string | undefined
  /** The header `x-keyrung-ladder`: a ladder's name, or `off`. */
  ladder: string | undefined
  /** A count of tokens: of the model that was asked, since others count otherwise. */
  counting: boolean
  /** From 0 to 1, below 1. */
  random: () => number
}

/** Model names that stand for a whole ladder. */
export const ladderPrefix = 'ladder/'
const sandboxPrefix = 'sandbox/'

/**
 * Step 4: which rungs may answer. Throws Failure `model-unknown` with the nearest names, `vendor-keyless`, or
 * `request-invalid` for a ladder that there is not.
 */
export function route(snapshot: Snapshot, asked: string, wish: Wish): Ladder {
  const plan = planOf(snapshot, asked, wish)
  const fault = wish.fault ?? (asked.startsWith(sandboxPrefix) ? asked.slice(sandboxPrefix.length) : undefined)
  const levels = levelsOf(snapshot, asked, plan, wish)
  if (fault !== undefined && !wish.caller.sandbox) {
    throw new Failure('not-allowed', 'This key may not ask for faults of the sandbox.')
  }
  if (fault !== undefined) return faulty(snapshot, levels, fault, explicit(asked, wish) ? plan : undefined, wish)
  const usable = withoutSimulated(levels.filter((level) => level.credentials.length > 0))
  if (usable.length === 0) throw keyless(levels[0] as Level)
  return {
    name: plan?.name,
    rungs: usable.flatMap((level, index) => rungsOf(level, index, wish)),
    retries: plan?.retries ?? snapshot.retries,
    hedgeAfterMs: plan?.hedgeAfterMs,
  }
}

/** The ladder in force: what the call says, else what belongs to its key, else what the operator's rules say of the model. */
function planOf(snapshot: Snapshot, asked: string, wish: Wish): LadderPlan | undefined {
  if (asked.startsWith(ladderPrefix)) {
    if (wish.ladder !== undefined) {
      throw new Failure('request-invalid', 'The model names a ladder, and so does x-keyrung-ladder.', {
        path: 'model',
        fix: 'Name the ladder in one place, or a model in model.',
      })
    }
    return knownPlan(snapshot, asked.slice(ladderPrefix.length), 'model')
  }
  if (wish.counting || wish.ladder === 'off') return undefined
  if (wish.ladder !== undefined) return knownPlan(snapshot, wish.ladder, undefined)
  const name =
    wish.caller.ladder ??
    wish.plan.ladder ??
    snapshot.ladderRules.find((rule) => fitsPattern(rule.models, asked))?.ladder
  return name === undefined ? undefined : snapshot.ladders.get(name)
}

function knownPlan(snapshot: Snapshot, name: string, path: string | undefined): LadderPlan {
  const plan = snapshot.ladders.get(name)
  if (plan !== undefined) return plan
  const known = [...snapshot.ladders.keys()].join(', ')
  const where = path === undefined ? 'x-keyrung-ladder' : path
  const shown = name.slice(0, 60).replaceAll(/[^\w.-]/g, '?')
  throw new Failure(
    path === undefined ? 'request-invalid' : 'model-unknown',
    `${where}: there is no ladder '${shown}' here.`,
    {
      ...(path !== undefined && { path, model: `${ladderPrefix}${shown}` }),
      fix: known === '' ? 'Ask a model by its name.' : `Ladders here: ${known}.`,
    },
  )
}

/** Did the call itself ask for its ladder? */
function explicit(asked: string, { ladder }: Wish): boolean {
  return asked.startsWith(ladderPrefix) || ladder !== undefined
}

/** The model asked for stands first; of a ladder that holds it, those after it follow. */
function levelsOf(snapshot: Snapshot, asked: string, plan: LadderPlan | undefined, wish: Wish): readonly Level[] {
  if (asked.startsWith(ladderPrefix)) {
    const levels = plan?.levels ?? []
    return wish.counting ? levels.slice(0, 1) : levels
  }
  const first = asked.startsWith(sandboxPrefix) ? sandboxModel(snapshot, wish.dialect) : asked
  const { setup, model } = resolve(snapshot, first)
  const unheard = !snapshot.models.has(model.id) && !snapshot.aliases.has(first)
  const base: Level = { setup, model, credentials: setup.credentials, rules: snapshot.rules, unheard }
  if (plan === undefined) return [base]
  const at = plan.levels.findIndex((level) => level.setup === setup && level.model.id === model.id)
  return at >= 0 ? plan.levels.slice(at) : [base, ...plan.levels]
}

/** Nobody who asked a vendor may get an answer that no vendor gave: simulated ones do not stand in for real ones. */
function withoutSimulated(levels: readonly Level[]): readonly Level[] {
  const real = levels.filter((level) => !level.setup.simulated)
  return real.length === 0 ? levels : real
}

function keyless({ setup: { vendor, enabled }, model }: Level): Failure {
  if (!enabled) {
    return new Failure('vendor-keyless', `${vendor.title}, who makes ${model.id}, is switched off here.`, {
      vendor: vendor.name,
      fix: `The operator must set vendors.${vendor.name}.enabled: true and start the gateway again.`,
    })
  }
  return new Failure('vendor-keyless', `This gateway has no key for ${vendor.title}, who makes ${model.id}.`, {
    vendor: vendor.name,
    fix: `The operator must set ${vendor.keyNames.join(' or ')} and start the gateway again, or turn the sandbox on.`,
  })
}

/** A count of tokens leaves no trace in the health of a place: vendors limit counts apart. */
function rungsOf(level: Level, index: number, { random, counting }: Wish): Rung[] {
  const rungs = turned(level.credentials, random).map((credential) => placeOf(level, index, credential))
  return counting ? rungs.map((rung) => ({ ...rung, healthKey: undefined })) : rungs
}

/** A rung of a level by one credential. */
export function placeOf({ setup, model, rules, unheard }: Level, level: number, credential: Credential): Rung {
  return {
    level,
    vendor: setup.vendor,
    model,
    credential,
    simulated: setup.simulated,
    deadlines: rules.deadlines,
    cooldown: rules.cooldown,
    breaker: rules.breaker,
    budget: rules.budget,
    healthKey: `${setup.vendor.name}/${model.id}#${credential.name}`,
    unheard: unheard === true,
  }
}

/** Credentials in a random order, the weightier the sooner; those of weight 0 last (Efraimidis and Spirakis, 2006). */
function turned(credentials: readonly Credential[], random: () => number): readonly Credential[] {
  if (credentials.length < 2) return credentials
  return credentials
    .map((credential) => ({ credential, key: credential.weight === 0 ? -1 : random() ** (1 / credential.weight) }))
    .toSorted((one, other) => other.key - one.key)
    .map(({ credential }) => credential)
}

/** The model behind `sandbox/…`: of the vendor whose own dialect the caller speaks, the one that refuses least. */
function sandboxModel(snapshot: Snapshot, dialect: Dialect): string {
  const models = [...snapshot.models.values()].filter((model) => model.vendor === dialect.native)
  const [first] = models.toSorted((one, other) => (one.refuses?.length ?? 0) - (other.refuses?.length ?? 0))
  return first?.id ?? dialect.native
}

/**
 * A ladder whose first rung is simulated and fails as asked. Where the call names no ladder, that is all of it, and nothing is
 * tried again: what was asked for is what is seen.
 */
function faulty(
  snapshot: Snapshot,
  levels: readonly Level[],
  fault: string,
  plan: LadderPlan | undefined,
  wish: Wish,
): Ladder {
  const [first, ...rest] = levels
  if (first === undefined) throw new Error('a ladder without rungs')
  const rungs = [faultyRung(snapshot, first, fault, wish.caller.id)]
  if (plan === undefined) {
    return { name: undefined, rungs, retries: { ...snapshot.retries, enabled: false }, hedgeAfterMs: undefined }
  }
  const others = withoutSimulated(rest.filter((level) => level.credentials.length > 0))
  rungs.push(...others.flatMap((level, index) => rungsOf(level, index + 1, wish)))
  return { name: plan.name, rungs, retries: plan.retries, hedgeAfterMs: plan.hedgeAfterMs }
}

/** The simulated vendor of this model, told to fail in this way; `ok` is no fault. It leaves no trace in the vendor's health. */
function faultyRung(snapshot: Snapshot, level: Level, fault: string, callerId: string): Rung {
  const { sandbox } = snapshot
  const { sandbox: place, enabled, vendor } = level.setup
  if (!enabled) {
    throw new Failure('not-allowed', `${vendor.title} is switched off here, and so is not simulated.`, {
      fix: 'Ask for the fault by x-keyrung-fault, with a model of another vendor.',
    })
  }
  if (sandbox === undefined || place === undefined) {
    throw new Failure('not-allowed', 'Faults on demand need the sandbox, which is off.', {
      fix: 'The operator can turn it on with sandbox: { enabled: true }.',
    })
  }
  const plain = fault === 'ok'
  const problem = plain ? undefined : sandbox.refusal(fault)
  if (problem !== undefined) {
    throw new Failure('request-invalid', problem, { path: 'model', fix: 'GET /sandbox/faults lists the faults.' })
  }
  const credential: Credential = {
    name: 'sandbox',
    number: 1,
    weight: 1,
    ...place,
    secret: sandboxSecret,
    callsMax: undefined,
  }
  return {
    ...placeOf(level, 0, credential),
    simulated: true,
    healthKey: undefined,
    headers: plain ? {} : { [sandbox.faultHeader]: fault, [sandbox.callerHeader]: callerId },
  }
}

/** The vendor and model that a name stands for. Throws Failure `model-unknown` with the nearest names. */
export function resolve(names: Names, asked: string): Named {
  const found = named(names, asked)
  if (found !== undefined) return found
  const model = asked.slice(0, 100)
  throw new Failure('model-unknown', `model: ${model} is not known here${nearest(names, model)}`, {
    path: 'model',
    model,
  })
}

function nearest(names: Names, asked: string): string {
  const scored = [...names.models.keys(), ...names.aliases.keys()]
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
