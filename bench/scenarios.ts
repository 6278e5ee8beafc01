import { anthropicCall, chatCall, longAnthropicCall, responsesCall, type Call } from './bodies.ts'

/** One row of the table: what is asked, what the figure is of, and how far it may be from the bare relay's. */
export interface Scenario {
  name: string
  /** `event` is the slope between a short and a long stream: what the call itself costs is not in it. */
  per: 'call' | 'event'
  /** What the gateway is asked. */
  asked: Call
  /** What the yardsticks are asked: the call as the vendor would get it. */
  plain: Call
  /** The most that the gateway may cost, as a multiple of the relay. */
  bar?: number
  /** Calls in a round. */
  calls: number
  /** Rounds of a full run. Many short ones: what disturbs a machine passes, and spoils only a few of them. */
  rounds: number
  /** Rounds before the first that counts, in which the targets' code gets hot. */
  warming: number
  /** How many events go out in one write. */
  eventsPerWrite: number
}

const claude = 'claude-sonnet-4-5'
const gptChat = 'gpt-4.1'
const gpt = 'gpt-5.2'

/** A streamed call whose first event comes and whose second never does: for counting what an open stream holds. */
export const heldCall = anthropicCall(claude, true)

const smallCalls = { per: 'call', calls: 100, rounds: 120, warming: 20, eventsPerWrite: 1 } as const
const largeCalls = { per: 'call', calls: 16, rounds: 80, warming: 10, eventsPerWrite: 1 } as const
const events = { per: 'event', calls: 16, rounds: 40, warming: 3, eventsPerWrite: 1 } as const

/** What is measured. A bar stands where the cost is one that a user would feel or an operator would pay for. */
export const scenarios: readonly Scenario[] = [
  { name: 'small call', ...smallCalls, ...same(anthropicCall(claude, false)), bar: 1.5 },
  { name: '200 KB call', ...largeCalls, ...same(longAnthropicCall(claude, 200_000)), bar: 1.3 },
  { name: 'event', ...events, ...same(anthropicCall(claude, true)), bar: 1.2 },
  { name: 'event, OpenAI chat', ...events, ...same(chatCall(gptChat, true)), bar: 1.2 },
  // No bar: the relay copies sixteen events as one piece of memory, and whatever looks at each of them must lose to that.
  { name: 'event, 16 in a write', ...events, ...same(anthropicCall(claude, true)), eventsPerWrite: 16 },
  {
    name: 'small call, chat to Claude',
    ...smallCalls,
    asked: chatCall(claude, false),
    plain: anthropicCall(claude, false),
  },
  {
    name: 'event, chat to Claude',
    ...events,
    asked: chatCall(claude, true),
    plain: anthropicCall(claude, true),
    bar: 2,
  },
  {
    name: 'event, Anthropic to GPT',
    ...events,
    asked: anthropicCall(gpt, true),
    plain: responsesCall(gpt, true),
    bar: 2,
  },
]

/** Passed on as it came: the gateway and the yardsticks are asked the same. */
function same(call: Call): { asked: Call; plain: Call } {
  return { asked: call, plain: call }
}
