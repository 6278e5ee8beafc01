import { named, type Names } from '../core/catalogue.ts'
import type { LadderPlan, Level, PlaceRules } from '../core/snapshot.ts'
import { ConfigError, type Config } from './config.ts'

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
export function ladderPlans({ config, names, shipped, file }: Source): Map<string, LadderPlan> {
  const plans = new Map<string, LadderPlan>()
  const add = (name: string, ladder: LadderConfig): void => {
    const plan = planOf(name, ladder, config, names, `${file}: ladders.${name}`)
    if (plan.levels.length > 0) plans.set(name, plan)
  }
  if (config.shippedLadders) {
    for (const { name, rungs } of shipped) add(name, { rungs: [...rungs] } as LadderConfig)
  }
  for (const [name, ladder] of Object.entries(config.ladders)) {
    plans.delete(name)
    add(name, ladder)
  }
  checkUses(config, plans, file)
  return plans
}

function planOf(name: string, ladder: LadderConfig, config: Config, names: Names, setting: string): LadderPlan {
  const rules = joined(placeRules(config), ladder)
  const levels = ladder.rungs
    .map((rung, index) => levelOf(rung, rules, names, `${setting}.rungs.${index}`))
    .filter((level) => level.credentials.length > 0)
  const real = levels.some((level) => !level.setup.simulated)
  return {
    name,
    levels: real ? levels.filter((level) => !level.setup.simulated) : levels,
    retries: { ...config.retries, ...ladder.retries },
    hedgeAfterMs: ladder.hedgeAfterMs,
  }
}

function levelOf(rung: RungConfig, rules: PlaceRules, names: Names, setting: string): Level {
  const asked = typeof rung === 'string' ? rung : rung.model
  const found = named(names, asked)
  if (found === undefined) throw new ConfigError([`${setting}: no vendor has a model '${asked}'.`])
  const all = found.setup.credentials
  if (typeof rung === 'string') return { ...found, credentials: all, rules }
  const wanted = rung.credentials
  // A simulated vendor has one credential, whatever the operator calls the real ones.
  if (wanted === undefined || found.setup.simulated) return { ...found, credentials: all, rules: joined(rules, rung) }
  for (const name of wanted) {
    if (all.length === 0 || all.some((one) => one.name === name)) continue
    const known = all.map((one) => one.name).join(', ')
    throw new ConfigError([`${setting}.credentials: ${found.setup.vendor.name} has no key '${name}'. Known: ${known}.`])
  }
  return { ...found, credentials: all.filter((one) => wanted.includes(one.name)), rules: joined(rules, rung) }
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
function checkUses(config: Config, plans: ReadonlyMap<string, LadderPlan>, file: string): void {
  const check = (setting: string, name: string): void => {
    if (plans.has(name)) return
    const why = Object.hasOwn(config.ladders, name)
      ? `none of the rungs of ladder '${name}' has a key`
      : `there is no ladder '${name}'`
    throw new ConfigError([`${file}: ${setting}: ${why}. Known: ${[...plans.keys()].join(', ')}.`])
  }
  for (const [index, rule] of config.ladderRules.entries()) check(`ladderRules.${index}.ladder`, rule.ladder)
  for (const [index, key] of config.keys.entries()) {
    if (key.ladder !== undefined) check(`keys.${index}.ladder`, key.ladder)
  }
}
