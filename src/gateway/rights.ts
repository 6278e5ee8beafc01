import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { Call } from '../core/call.ts'
import type { Caller } from '../core/caller.ts'
import { Failure, failures } from '../core/failure.ts'
import type { Ladder, Rung } from '../core/ladder.ts'
import { fitsPattern } from '../core/pattern.ts'
import type { Plan, PlanFeature } from '../core/plan.ts'
import type { Model } from '../core/vendor.ts'

/**
 * The rungs of a ladder that the caller's key and plan allow, by the models themselves and not by how the call spells them. Throws Failure
 * `not-allowed` where none is left.
 */
export function allowedRungs(ladder: Ladder, caller: Caller, plan: Plan): Ladder {
  if (caller.models === undefined && plan.models === undefined) return ladder
  const rungs = ladder.rungs.filter((rung) => mayUse(rung.model, caller, plan))
  if (rungs.length === ladder.rungs.length) return ladder
  const [first] = ladder.rungs
  if (rungs.length === 0) throw modelNotAllowed((first as Rung).model.id, plan)
  return { ...ladder, rungs }
}

/** That a key or its plan do not have this model. */
export function modelNotAllowed(id: string, plan: Plan): Failure {
  return notAllowed(`This key may not use the model ${id}.`, plan, {
    path: 'model',
    fix: 'GET /v1/models lists those it may use.',
  })
}

/** How large the body of a request may be, and what is said of one that is larger. */
export interface BodyLimit {
  readonly bytesMax: number
  readonly tooLarge: () => Failure
}

/** The gateway's limit or the plan's, whichever is less. */
export function bodyLimit(gatewayMax: number, plan: Plan): BodyLimit {
  const { bodyBytesMax = Infinity } = plan
  if (bodyBytesMax >= gatewayMax)
    return { bytesMax: gatewayMax, tooLarge: () => tooLarge(gatewayMax, 'this gateway takes') }
  const fix = `${failures['body-too-large'].fix} ${upgrade(plan)}`
  return { bytesMax: bodyBytesMax, tooLarge: () => tooLarge(bodyBytesMax, 'the plan allows', { fix }) }
}

function tooLarge(bytesMax: number, who: string, details: { fix?: string } = {}): Failure {
  return new Failure('body-too-large', `The body is larger than ${bytesMax} bytes, the most that ${who}.`, details)
}

/** May this model be asked with this key? */
export function mayUse({ id, vendor }: Model, caller: Caller, plan: Plan): boolean {
  return [caller.models, plan.models].every(
    (patterns) =>
      patterns === undefined || patterns.some((one) => fitsPattern(one, id) || fitsPattern(one, `${vendor}/${id}`)),
  )
}

/** What the plan says of the request itself. Throws Failure `not-allowed` or `request-invalid`. */
export function checkPlan(call: Call, plan: Plan): void {
  if (plan.tokensMax !== undefined) {
    const asked = call.dialect.request.tokensMax(call.json)
    if (asked !== undefined && asked.tokens > plan.tokensMax) {
      throw notAllowed(
        `${asked.path}: ${asked.tokens} is more than the ${plan.tokensMax} that the plan allows.`,
        plan,
        {
          path: asked.path,
          fix: `Ask for at most ${plan.tokensMax}.`,
        },
      )
    }
  }
  if (plan.features === undefined) return
  for (const { feature, path } of usedFeatures(call)) {
    if (!plan.features.includes(feature))
      throw notAllowed(`${path}: the plan does not include ${titles[feature]}.`, plan, { path })
  }
}

const titles: Readonly<Record<PlanFeature, string>> = {
  streaming: 'streamed answers',
  tools: 'tools',
  thinking: 'thinking',
  media: 'images, files and sound',
}

interface Used {
  feature: PlanFeature
  path: string
}

function usedFeatures(call: Call): Used[] {
  const used: Used[] = []
  const { json, dialect, head } = call
  if (head.stream) used.push({ feature: 'streaming', path: 'stream' })
  if (dialect.request.thinks(json)) used.push({ feature: 'thinking', path: 'thinking' })
  const prompt = dialect.request.read(json, head)
  if (prompt.tools.length > 0) used.push({ feature: 'tools', path: 'tools' })
  for (const turn of prompt.turns) {
    const media = turn.parts.find((part) => 'source' in part)
    if (media !== undefined) used.push({ feature: 'media', path: turn.path })
  }
  return used
}

function notAllowed(message: string, plan: Plan, { path, fix }: { path: string; fix?: string }): Failure {
  const more = upgrade(plan)
  return new Failure('not-allowed', message, { path, fix: fix === undefined ? more : `${fix} ${more}` })
}

function upgrade({ upgradeUrl, name }: Plan): string {
  return upgradeUrl === undefined ? `Ask the operator for more than the plan '${name}'.` : `More: ${upgradeUrl}`
}

const lists = new WeakMap<readonly string[], BlockList>()

/** Is the address in one of the networks? */
export function inNetworks(networks: readonly string[], address: string): boolean {
  let list = lists.get(networks)
  if (list === undefined) {
    list = listOf(networks)
    lists.set(networks, list)
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(plain)) return list.check(plain, 'ipv4')
  return isIPv6(plain) && list.check(plain, 'ipv6')
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/', 2)
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}
