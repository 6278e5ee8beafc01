import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Body } from '../../core/body.ts'
import { noUsage, type Usage } from '../../core/event.ts'
import { TokenRatios, type CallFacts } from './estimate.ts'

const facts: CallFacts = { keyId: 'k', vendor: 'v', model: 'm', tokensMax: undefined }
const text = 'Twelve words of plain English text are repeated here again and again. '

function bodyOf(bytes: number): Body {
  return new Body([Buffer.from(text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes))])
}

function usage(input: number, output = 0): Usage {
  return { ...noUsage, input, output }
}

/** Calls of a model whose tokens have so many bytes. */
function learnFrom(ratios: TokenRatios, calls: number, bytesPerToken: number, of = facts, output = 0): void {
  for (let one = 0; one < calls; one += 1) {
    const body = bodyOf(7000)
    ratios.learn(ratios.estimate(body, of), of, usage(7000 / bytesPerToken, output))
  }
}

suite('estimate: input', () => {
  const firsts: [model: string, bytesPerToken: number][] = [
    ['gpt-6-sol', 4],
    ['o3-mini', 4],
    ['claude-opus-4-6', 3.5],
    ['claude-sonnet-4-20250514', 3.5],
    ['claude-sonnet-4-5-20250929', 3.5],
    ['claude-3-5-haiku-20241022', 3.5],
    ['claude-opus-4-7', 2.7],
    ['claude-sonnet-5', 2.7],
    ['claude-haiku-5-5', 2.7],
    ['gemini-3-pro', 3.8],
    ['something-new', 3.5],
  ]
  for (const [model, bytesPerToken] of firsts) {
    test(`${model} begins with ${bytesPerToken} bytes a token`, () => {
      const { inputTokens } = new TokenRatios().estimate(bodyOf(7560), { ...facts, model })
      assert.equal(inputTokens, Math.ceil(7560 / bytesPerToken))
    })
  }

  test('after twenty calls it is right to a thirtieth, wherever it began', () => {
    for (const bytesPerToken of [2, 3, 4.5, 6]) {
      const ratios = new TokenRatios()
      learnFrom(ratios, 20, bytesPerToken)
      const { inputTokens } = ratios.estimate(bodyOf(7000), facts)
      assert.ok(Math.abs((inputTokens * bytesPerToken) / 7000 - 1) < 1 / 30, `${inputTokens} at ${bytesPerToken}`)
    }
  })

  test('one strange count among many moves it by a twentieth', () => {
    const ratios = new TokenRatios()
    learnFrom(ratios, 200, 3.5)
    learnFrom(ratios, 1, 7)
    assert.equal(ratios.estimate(bodyOf(7000), facts).inputTokens, Math.ceil(7000 / (3.5 + 3.5 / 20)))
  })

  test('counts that no tokenizer gives move it to half or twice its beginning at most', () => {
    const low = new TokenRatios()
    learnFrom(low, 500, 0.01)
    assert.equal(low.estimate(bodyOf(7000), facts).inputTokens, 4000)
    const high = new TokenRatios()
    learnFrom(high, 500, 1000)
    assert.equal(Math.round(high.estimate(bodyOf(7000), facts).inputTokens / 10), 100)
  })

  test('models and vendors learn apart', () => {
    const ratios = new TokenRatios()
    learnFrom(ratios, 20, 5)
    assert.equal(ratios.estimate(bodyOf(7000), { ...facts, vendor: 'w' }).inputTokens, 2000)
    assert.equal(ratios.estimate(bodyOf(7000), { ...facts, model: 'n' }).inputTokens, 2000)
  })

  test('cached tokens are in a count', () => {
    const ratios = new TokenRatios()
    const body = bodyOf(7000)
    const cached = { ...noUsage, input: 400, cacheRead: 400, cacheWrite5m: 400, cacheWrite1h: 200 }
    for (let one = 0; one < 300; one += 1) ratios.learn(ratios.estimate(body, facts), facts, cached)
    assert.ok(Math.abs(ratios.estimate(body, facts).inputTokens - 1400) <= 10)
  })

  const silent: [sentence: string, body: Body, count: number][] = [
    ['a short body', bodyOf(500), 3],
    ['a body with an image', new Body([Buffer.from(`"${'iVBORw0KGgo'.repeat(300)}" ${text.repeat(100)}`)]), 5],
    ['a count of nothing', bodyOf(7000), 0],
    ['a count that is no number', bodyOf(7000), Number.NaN],
  ]
  for (const [sentence, body, count] of silent) {
    test(`nothing is learnt from ${sentence}`, () => {
      const ratios = new TokenRatios()
      ratios.learn(ratios.estimate(body, facts), facts, usage(count))
      assert.equal(ratios.estimate(bodyOf(7000), facts).inputTokens, 2000)
    })
  }

  test('an image is a thousand', () => {
    const body = new Body([Buffer.from(`"${'iVBORw0KGgo'.repeat(3000)}"`)])
    const { inputTokens } = new TokenRatios().estimate(body, facts)
    assert.ok(inputTokens >= 1000 && inputTokens < 1010)
  })
})

suite('estimate: output', () => {
  const cases: [sentence: string, usual: number | undefined, tokensMax: number | undefined, outputTokens: number][] = [
    ['half as much again as usual', 1000, undefined, 1500],
    ['not more than the call may use', 1000, 1200, 1200],
    ['not more than the call may use, where nothing is known', undefined, 50, 50],
    ['not less than 256, where answers are short', 10, undefined, 256],
    ['a thousand, where nothing is known', undefined, 100_000, 1024],
    ['none, where none may be used', 1000, 0, 0],
  ]
  for (const [sentence, usual, tokensMax, outputTokens] of cases) {
    test(sentence, () => {
      const ratios = new TokenRatios()
      if (usual !== undefined) learnFrom(ratios, 3, 3.5, facts, usual)
      assert.equal(ratios.estimate(bodyOf(100), { ...facts, tokensMax }).outputTokens, outputTokens)
    })
  }

  test('keys learn apart', () => {
    const ratios = new TokenRatios()
    learnFrom(ratios, 3, 3.5, facts, 4000)
    assert.equal(ratios.estimate(bodyOf(100), { ...facts, keyId: 'other' }).outputTokens, 1024)
  })

  test('a key that was not seen for long is forgotten when there are too many', () => {
    const ratios = new TokenRatios()
    learnFrom(ratios, 1, 3.5, facts, 4000)
    const estimate = ratios.estimate(bodyOf(100), facts)
    for (let key = 0; key < 20_000; key += 1) ratios.learn(estimate, { ...facts, keyId: `k${key}` }, usage(0, 10))
    assert.equal(ratios.estimate(bodyOf(100), facts).outputTokens, 1024)
    assert.equal(ratios.estimate(bodyOf(100), { ...facts, keyId: 'k5' }).outputTokens, 256)
  })

  test('one that was seen again meanwhile is not', () => {
    const ratios = new TokenRatios()
    const estimate = ratios.estimate(bodyOf(100), facts)
    for (const keyId of ['k', ...Array.from({ length: 19_999 }, (_, key) => `k${key}`), 'k', 'last']) {
      ratios.learn(estimate, { ...facts, keyId }, usage(0, 10))
    }
    assert.equal(ratios.estimate(bodyOf(100), facts).outputTokens, 256)
  })
})
