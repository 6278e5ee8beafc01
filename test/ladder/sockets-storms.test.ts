import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, dialects, outcomes, receipts, send, type Question, type Seen } from './support/ask.ts'
import { crowd, seeded } from './support/crowd.ts'
import type { LadderGateway } from './support/gateway.ts'
import { firstModel, secondModel, stage } from './support/stage.ts'
import type { Asked, Vendor, Way } from './support/vendor.ts'
import { until } from './support/waiting.ts'
import { begin, content, ending, fails, ping, resets, silent, well } from './support/ways.ts'

const atOnce = 20
/** Once it is open, nobody comes back during the test. */
const openMs = 600_000
/**
 * What a dead vendor sees at most: the calls that are on their way when it opens (a worker comes back only after its last call has failed
 * there, and the fifth failure opens it).
 */
const failuresInRow = 5
const seenMax = atOnce + failuresInRow - 1

const impatient = 'deadlines: { firstByteMs: 200, firstByteLastMs: 200 }'

/** Each dialect, whole and streamed, by turns. */
function manner(index: number): Question {
  return { dialect: dialects[index % 2] ?? 'anthropic', stream: index % 4 > 1 }
}

function tally(answers: readonly Seen[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, complete, model } of answers) {
    const name = status === 200 && complete ? model : `${status}${status === 200 ? ' broken off' : ''}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

describe('a storm of calls', () => {
  test('loses none that has not begun its answer while a vendor is killed and comes back, and finds it again', async (context) => {
    const { gateway, first, second } = await stage(context, {
      config: 'breaker: { openMs: 100, openMsMax: 200 }\nretries: { backoffMs: 5 }',
    })
    const calls = 400
    const deaths: Promise<void>[] = []
    const answers = await crowd(calls, atOnce, async (index) => {
      if (index === 100) deaths.push(first.kill())
      if (index === 250) deaths.push(first.revive())
      return ask(gateway, manner(index))
    })
    await Promise.all(deaths)
    const broken = answers.filter(({ status, complete }) => status !== 200 || !complete)
    // A stream that had begun cannot be begun anew: it ends with an error that says so.
    for (const one of broken) {
      assert.ok(
        one.status === 200 && one.model === firstModel && one.error !== undefined,
        JSON.stringify(tally(answers)),
      )
    }
    assert.ok(broken.length <= atOnce, JSON.stringify(tally(answers)))
    assert.ok((tally(answers)[secondModel] ?? 0) > 0, 'the other has stood in for it')
    const tries = (await receipts(gateway, calls)).flatMap((receipt) => outcomes(receipt))
    const failed = tries.filter((one) => one.startsWith('anthropic') && !/ (ok|failing)$/.test(one)).length
    assert.ok(failed <= seenMax + probesMax, `${failed} tries of the dead vendor`)
    assert.equal(tries.filter((one) => one.startsWith('openai') && !one.endsWith(' ok')).length, 0)
    await until(async () => (await ask(gateway)).model === firstModel, 'the vendor is found again')
    assert.ok(second.asked.length > 0)
  })

  const dead: [says: string, way: Way][] = [
    ['resets every connection', resets],
    ['is a black hole', silent],
    ['fails', fails(500)],
  ]
  for (const [says, way] of dead) {
    test(`is answered by the second rung where the first ${says}, which is soon left alone`, async (context) => {
      const { gateway, first, second } = await stage(context, {
        config: `breaker: { failuresInRow: ${failuresInRow}, openMs: ${openMs}, openMsMax: ${openMs} }`,
        // Of the first only: the second may be slow, on a machine that has much to do.
        ladders: `ladders: { two: { rungs: [{ model: ${firstModel}, ${impatient} }, ${secondModel}] } }`,
      })
      first.answers(way)
      const calls = 200
      const answers = await crowd(calls, atOnce, (index) => ask(gateway, manner(index)))
      assert.deepEqual(tally(answers), { [secondModel]: calls })
      assert.ok(first.asked.length <= seenMax, `${first.asked.length} tries`)
      assert.equal(second.asked.length, calls)
    })
  }

  test('is answered in full where every third connection is reset', async (context) => {
    const { gateway, first } = await stage(context)
    let requests = 0
    first.answers((asked) => {
      requests += 1
      if (requests % 3 === 0) resets(asked)
      else well(asked)
    })
    const answers = await crowd(200, atOnce, (index) => ask(gateway, manner(index)))
    assert.ok(
      answers.every(({ status, complete }) => status === 200 && complete),
      JSON.stringify(tally(answers)),
    )
    assert.ok((tally(answers)[firstModel] ?? 0) > 100)
  })

  test('makes few retries of the last rung when all is down: a tenth of its tries', async (context) => {
    const { gateway, first } = await stage(context, {
      config: 'breaker: { enabled: false }\nbudget: { floor: 0, share: 0.1 }\nretries: { backoffMs: 1 }',
    })
    first.answers(fails(529))
    const calls = 300
    const answers = await crowd(calls, atOnce, (index) => ask(gateway, { ...manner(index), model: 'ladder/one' }))
    assert.ok(answers.every(({ status }) => status === 529))
    const retries = first.asked.length - calls
    // One is admitted while those before it are fewer than the share.
    assert.ok(retries > 0 && retries <= first.asked.length / 10 + 1, `${retries} retries`)
  })
})

/** Probes of a dead vendor, of which each takes longer than the one before: far fewer in the time that a test takes. */
const probesMax = 60

describe('callers who leave at any moment', () => {
  for (const [says, ladder] of [
    ['one rung after the other', ''],
    ['hedged', 'hedgeAfterMs: 10'],
  ] as const) {
    test(`leave nothing behind: no request at a vendor, no timer, no place: ${says}`, async (context) => {
      const callsMax = 8
      const { gateway, first, second } = await stage(context, {
        ladder,
        keys: [{ callsMax }],
        secondKeys: [{ callsMax }],
        config: 'retries: { backoffMs: 20 }\nbreaker: { enabled: false }',
      })
      await ask(gateway)
      const timers = timersNow()
      const random = seeded(20_261_125)
      for (const vendor of [first, second]) vendor.answers((asked) => unsteady(asked, random()))
      await crowd(200, 25, (index) => leave(gateway, manner(index), random() * 40))
      const all = [...first.asked, ...second.asked]
      await Promise.all(all.map(({ closed }) => closed))
      await until(() => timersNow() <= timers, `no more timers than ${timers}`)
      const kept = await receipts(gateway, 100)
      assert.ok(kept.filter(({ status }) => status === 499).length > 10, 'many have left')
      await checkPlaces(gateway, first, second, callsMax)
    })
  }
})

/** What goes on for the process: timers that would keep it alive. */
function timersNow(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

/** A vendor in all moods, none of them for long. */
function unsteady(asked: Asked, mood: number): void {
  if (mood < 0.2) fails(529)(asked)
  else if (mood < 0.3) resets(asked)
  else if (mood < 0.4) fails(429, { headers: { 'retry-after-ms': '15' } })(asked)
  else if (mood < 0.6 || !asked.stream) setTimeout(() => well(asked), mood * 30)
  else {
    begin(asked)
    asked.response.write(ping(asked))
    setTimeout(() => asked.response.write(content(asked).join('')), 8)
    setTimeout(() => asked.response.end(ending(asked)), 25)
  }
}

/** A call whose caller leaves after so long, unless it has its answer by then. */
function leave(gateway: LadderGateway, question: Question, afterMs: number): Promise<void> {
  return new Promise((resolve) => {
    const request = send(gateway, question)
    const timer = setTimeout(() => request.destroy(), afterMs)
    request.on('error', () => {})
    request.on('response', (response) => response.on('error', () => {}).resume())
    request.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Both vendors take exactly as many calls as they may, and one more is told that there is no place. */
async function checkPlaces(gateway: LadderGateway, first: Vendor, second: Vendor, callsMax: number): Promise<void> {
  // What was limited for a moment is well again.
  for (const vendor of [first, second]) vendor.answers(well)
  for (const [vendor, model] of [
    [first, firstModel],
    [second, secondModel],
  ] as const) {
    // eslint-disable-next-line no-await-in-loop -- one vendor after the other
    await until(async () => (await ask(gateway, { model })).status === 200, `${model} is well`)
    vendor.answers(silent)
    const before = vendor.asked.length
    const holding = Array.from({ length: callsMax }, () => ask(gateway, { model }))
    // eslint-disable-next-line no-await-in-loop -- one vendor after the other
    await vendor.ask(before + callsMax - 1)
    // eslint-disable-next-line no-await-in-loop -- one vendor after the other
    const oneMore = await ask(gateway, { model })
    assert.deepEqual([oneMore.status, oneMore.headers['x-keyrung-failure']], [529, 'gateway-full'])
    for (const asked of vendor.asked.slice(before)) well(asked)
    // eslint-disable-next-line no-await-in-loop -- one vendor after the other
    assert.ok((await Promise.all(holding)).every(({ status }) => status === 200))
  }
}
