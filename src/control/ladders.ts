import { named, type Names } from '../core/catalogue.ts'
import type { LadderPlan, Level, PlaceRules, Snapshot, VendorSetup } from '../core/snapshot.ts'
import { ConfigError, settingAt, type Config } from './config.ts'

type LadderConfig = Config['ladders'][string]
type RungConfig = LadderConfig['rungs'][number]

/** What is in force where a ladder says nothing else. */
export function placeRules(config: Pick<Config, keyof PlaceRules>): PlaceRules {
  const { deadlines, cooldown, breaker, budget } = config
  return { deadlines, cooldown, breaker, budget }
}

interface Source {
  config: Config
  names: Names
  shipped: readonly { readonly name: string; readonly rungs: readonly string[] }[]
  /** The file that mistakes are told of. */
  file: string
}

/**
 * All ladders by name. A rung that cannot be used here, for want of a credential, is left out; so is a simulated one in a ladder
 * that has a real one, since nobody who asked a vendor may get an answer that no vendor gave. Throws ConfigError.
 */
export function ladderPlans(source: Source): Map<string, LadderPlan> {
  const { config, shipped } = source
  const plans = new Map<string, LadderPlan>()
  const add = (name: string, ladder: LadderConfig): void => {
    const plan = planOf(name, ladder, source)
    if (plan.levels.length > 0) plans.set(name, plan)
  }
  if (config.shippedLadders) {
    for (const { name, rungs } of shipped) add(name, { rungs: [...rungs] } as LadderConfig)
  }
  for (const [name, ladder] of Object.entries(config.ladders)) {
    checkTwice(name, ladder, source)
    plans.delete(name)
    add(name, ladder)
  }
  checkUses(source, plans)
  return plans
}

function planOf(name: string, ladder: LadderConfig, source: Source): LadderPlan {
  const { config } = source
  const rules = joined(placeRules(config), ladder)
  const levels = ladder.rungs
    .map((rung, index) => levelOf(rung, rules, ['ladders', name, 'rungs', index], source))
    .filter((level) => level.credentials.length > 0)
  const real = levels.some((level) => !level.setup.simulated)
  return {
    name,
    levels: real ? levels.filter((level) => !level.setup.simulated) : levels,
    retries: { ...config.retries, ...ladder.retries },
    hedgeAfterMs: ladder.hedgeAfterMs,
  }
}

function levelOf(rung: RungConfig, rules: PlaceRules, path: Path, source: Source): Level {
  const found = named(source.names, modelOf(rung))
  if (found === undefined) {
    const at = typeof rung === 'string' ? path : [...path, 'model']
    throw mistake(source, at, `no vendor has a model '${modelOf(rung)}'`)
  }
  const { vendor, credentials, simulated } = found.setup
  if (typeof rung === 'string') return { ...found, credentials, rules }
  const level = { ...found, credentials, rules: joined(rules, rung) }
  const wanted = rung.credentials
  if (wanted === undefined) return level
  const known = credentialNames(found.setup, source.config)
  for (const [index, name] of wanted.entries()) {
    if (known === undefined || known.includes(name)) continue
    throw mistake(
      source,
      [...path, 'credentials', index],
      `${vendor.name} has no key '${name}'. Known: ${known.join(', ')}`,
    )
  }
  // A simulated vendor has one credential, whatever the operator calls the real ones.
  return simulated ? level : { ...level, credentials: credentials.filter((one) => wanted.includes(one.name)) }
}

function modelOf(rung: RungConfig): string {
  return typeof rung === 'string' ? rung : rung.model
}

/** The names that rungs may give the keys at a vendor: of those in use, else of those in the file; undefined where there are none. */
function credentialNames({ vendor, credentials, simulated }: VendorSetup, config: Config): string[] | undefined {
  if (!simulated && credentials.length > 0) return credentials.map((one) => one.name)
  const { key, keys } = config.vendors[vendor.name] ?? {}
  return keys?.map((one) => one.name) ?? (key === undefined ? undefined : ['default'])
}

/** The same model by the same keys is one place, which a call that left it would meet again. */
function checkTwice(name: string, ladder: LadderConfig, source: Source): void {
  const seen: string[] = []
  for (const [index, rung] of ladder.rungs.entries()) {
    const found = named(source.names, modelOf(rung))
    const all = found === undefined ? undefined : credentialNames(found.setup, source.config)
    const keys = new Set((typeof rung === 'string' ? undefined : rung.credentials) ?? all)
    const place = [found?.setup.vendor.name, found?.model.id ?? modelOf(rung), ...[...keys].toSorted()].join(' ')
    const first = seen.indexOf(place)
    if (first !== -1) {
      const path = ['ladders', name, 'rungs', index]
      throw mistake(source, path, `is the same as rung ${first}: the same model by the same keys. Remove one of them`)
    }
    seen.push(place)
  }
}

type Path = readonly (string | number)[]

function mistake({ config, file }: Source, path: Path, problem: string): ConfigError {
  return new ConfigError([`${settingAt(config, file, path)}: ${problem}.`])
}

/** A rung of the operator's that is not used here, and why. */
export interface LeftOut {
  readonly ladder: string
  readonly model: string
  /** The vendor's title. */
  readonly vendor: string
  readonly why: 'has no key' | 'is switched off' | 'is simulated'
}

/** All rungs of the operator's ladders that calls will not meet. A ladder that has only such rungs is not offered. */
export function leftOut(config: Config, snapshot: Snapshot): LeftOut[] {
  return Object.entries(config.ladders).flatMap(([ladder, { rungs }]) => {
    const real = snapshot.ladders.get(ladder)?.levels.some((level) => !level.setup.simulated) ?? false
    return rungs.flatMap((rung): LeftOut[] => {
      const setup = named(snapshot, modelOf(rung))?.setup
      if (setup === undefined) return []
      const { vendor, credentials, simulated } = setup
      const one = { ladder, model: modelOf(rung), vendor: vendor.title }
      if (config.vendors[vendor.name]?.enabled === false) return [{ ...one, why: 'is switched off' }]
      if (credentials.length === 0) return [{ ...one, why: 'has no key' }]
      return simulated && real ? [{ ...one, why: 'is simulated' }] : []
    })
  })
}

/** Names that the operator's rungs give to keys at vendors that have none here, as `name of Vendor`. */
export function keysNowhere(config: Config, snapshot: Snapshot): string[] {
  const rungs = Object.values(config.ladders).flatMap((ladder) => ladder.rungs)
  const names = rungs.flatMap((rung) => {
    const setup = named(snapshot, modelOf(rung))?.setup
    if (typeof rung === 'string' || setup === undefined || credentialNames(setup, config) !== undefined) return []
    return (rung.credentials ?? []).map((name) => `${name} of ${setup.vendor.title}`)
  })
  return [...new Set(names)]
}

/** Rules with some of them said anew. */
function joined(rules: PlaceRules, over: { [Name in keyof PlaceRules]?: Partial<PlaceRules[Name]> | undefined }) {
  return {
    deadlines: { ...rules.deadlines, ...over.deadlines },
    cooldown: { ...rules.cooldown, ...over.cooldown },
    breaker: { ...rules.breaker, ...over.breaker },
    budget: { ...rules.budget, ...over.budget },
  }
}

/** Rules and keys must name ladders that there are; one without a usable rung is named as such. */
function checkUses(source: Source, plans: ReadonlyMap<string, LadderPlan>): void {
  const { config } = source
  const check = (path: Path, name: string): void => {
    if (plans.has(name)) return
    const why = Object.hasOwn(config.ladders, name)
      ? `none of the rungs of ladder '${name}' has a key`
      : `there is no ladder '${name}'`
    const known = plans.size === 0 ? 'There is no ladder here' : `Known: ${[...plans.keys()].join(', ')}`
    throw mistake(source, path, `${why}. ${known}`)
  }
  for (const [index, rule] of config.ladderRules.entries()) check(['ladderRules', index, 'ladder'], rule.ladder)
  for (const [index, key] of config.keys.entries()) {
    if (key.ladder !== undefined) check(['keys', index, 'ladder'], key.ladder)
  }
  for (const [name, plan] of Object.entries(config.plans)) {
    if (plan.ladder !== undefined) check(['plans', name, 'ladder'], plan.ladder)
  }
}
