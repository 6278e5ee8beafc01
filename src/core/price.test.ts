import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import catalogue from '../vendors/catalogue.json' with { type: 'json' }
import { noUsage, type Usage } from './event.ts'
import { costOf, formatDollars, priced, upperBound, type Cost } from './price.ts'
import type { Model, Price, Rates } from './vendor.ts'

const models = catalogue as readonly Model[]
const withPrice = models.filter((model) => model.price !== undefined)
const find = (id: string): Model => models.find((model) => model.id === id) ?? assert.fail(`the catalogue has no ${id}`)
const made = (price?: Price): Model => ({ id: 'made', vendor: 'nobody', ...(price !== undefined && { price }) })
const nanoOf = (cost: Cost): number => (cost.type === 'known' ? cost.nano : assert.fail('no price'))

test('costOf: a model without a price is counted in tokens, thinking once, and never costs nothing', () => {
  const usage = { input: 10, output: 7, cacheRead: 5, cacheWrite5m: 3, cacheWrite1h: 2, thinking: 4 }
  assert.deepEqual(costOf(usage, made()), { type: 'unknown', tokens: 27 })
  assert.deepEqual(costOf(usage, made(), { batch: true }), { type: 'unknown', tokens: 27 })
})

/** A dollar a million tokens is 1000 nano-dollars a token. */
const real: [sentence: string, id: string, usage: Partial<Usage>, nano: number][] = [
  ['a count below nothing is nothing', 'claude-haiku-4-5', { input: -5, output: 1 }, 5_000],
  ['a part of a token is a token', 'claude-haiku-4-5', { output: 0.5 }, 5_000],
  [
    'counts that no call can have are held to a hundred million each',
    'claude-fable-5',
    { input: 1e300, output: 1e300, cacheRead: 1e300, cacheWrite5m: Infinity, cacheWrite1h: 100_000_001 },
    // 10 + 50 + 1 + 12.5 + 20 dollars a million
    9_350_000_000_000,
  ],
  ['no tokens cost nothing', 'gpt-6.2-sol', {}, 0],
  ['a model that is free of charge costs nothing', 'gemma-4-31b-it', { input: 1_000_000, output: 1_000_000 }, 0],
  ['input and output have their own rates', 'claude-haiku-4-5', { input: 1_000, output: 500 }, 3_500_000],
  ['thinking is not paid for twice', 'claude-haiku-4-5', { input: 1_000, output: 500, thinking: 500 }, 3_500_000],
  ['a single token of the cheapest is still counted', 'gpt-5-nano', { cacheRead: 1 }, 5],
  [
    'each class of cached input has its own rate',
    'claude-sonnet-4-5',
    { input: 100, cacheRead: 10_000, cacheWrite5m: 2_000, cacheWrite1h: 1_000, output: 400, thinking: 300 },
    300_000 + 3_000_000 + 7_500_000 + 6_000_000 + 6_000_000,
  ],
  ['DeepSeek’s cache hits', 'deepseek-v4-pro', { input: 7, cacheRead: 1_000, output: 3 }, 9_240 + 44_000 + 11_880],
  ['reads without a rate cost as input', 'gpt-5.5-pro', { cacheRead: 1_000 }, 30_000_000],
  ['writes without a rate cost as input', 'gpt-5.4', { cacheWrite5m: 1_000 }, 2_500_000],
  ['writes for an hour without any rate cost as input', 'gpt-5.4', { cacheWrite1h: 1_000 }, 2_500_000],
  ['writes for an hour without their own rate cost as shorter ones', 'gpt-6.2-sol', { cacheWrite1h: 1_000 }, 2_500_000],

  [
    'Gemini at its step, mostly from the cache, has the short rates',
    'gemini-2.5-pro',
    { input: 50_000, cacheRead: 150_000, output: 1_000 },
    62_500_000 + 18_750_000 + 10_000_000,
  ],
  [
    'Gemini one token above has the long rates for all of it',
    'gemini-2.5-pro',
    { input: 50_001, cacheRead: 150_000, output: 1_000 },
    125_002_500 + 37_500_000 + 15_000_000,
  ],
  [
    'output does not count towards the step',
    'gemini-2.5-pro',
    { input: 200_000, output: 65_536 },
    250_000_000 + 655_360_000,
  ],
  [
    'Claude at its step, reads and both writes counted',
    'claude-haiku-5-5',
    { cacheRead: 60_000, cacheWrite5m: 30_000, cacheWrite1h: 10_000 },
    600_000 + 3_750_000 + 2_000_000,
  ],
  [
    'Claude one token above',
    'claude-haiku-5-5',
    { input: 1, cacheRead: 60_000, cacheWrite5m: 30_000, cacheWrite1h: 10_000 },
    500 + 3_000_000 + 18_750_000 + 10_000_000,
  ],
  ['GPT at its step', 'gpt-6.2-sol', { input: 272_000, output: 1 }, 544_000_000 + 10_000],
  ['GPT one token above', 'gpt-6.2-sol', { input: 272_001, output: 1 }, 1_088_004_000 + 15_000],
  ['Grok below 200,000 tokens', 'grok-4.7', { input: 199_999 }, 399_998_000],
  ['Grok from 200,000 tokens on', 'grok-4.7', { input: 200_000 }, 800_000_000],
  ['above the step, reads without a rate cost as long input', 'gpt-5.5-pro', { cacheRead: 272_001 }, 16_320_060_000],
  ['above the step, writes without a rate cost as long input', 'gpt-5.4', { cacheWrite5m: 272_001 }, 1_360_005_000],
]

for (const [sentence, id, usage, nano] of real) {
  test(`costOf: ${sentence}`, () => {
    assert.deepEqual(costOf({ ...noUsage, ...usage }, find(id)), { type: 'known', nano })
  })
}

const fine = { input: 0.0005, output: 0.0004, cacheRead: 0.0028 }
const rounded: [sentence: string, price: Price, usage: Partial<Usage>, batch: boolean, nano: number][] = [
  ['half a nano-dollar is a whole one', fine, { input: 1 }, false, 1],
  ['less than half is none', fine, { output: 1 }, false, 0],
  ['classes are added before they are rounded, down', fine, { input: 1, output: 2 }, false, 1],
  ['classes are added before they are rounded, up', fine, { input: 1, output: 3 }, false, 2],
  ['2800 pico-dollars a token are exact', fine, { cacheRead: 1_000_003 }, false, 2_800_008],
  ['a batch has its share of every class', { ...fine, batchPercent: 50 }, { input: 1_000, output: 1_000 }, true, 450],
  ['a batch is rounded once, not before its share', { ...fine, batchPercent: 50 }, { input: 1 }, true, 0],
  ['outside a batch its share means nothing', { ...fine, batchPercent: 50 }, { input: 1_000 }, false, 500],
  ['a batch without a known share costs as much as any call', fine, { input: 1_000 }, true, 500],
  [
    'a long call in a batch has its share of the long rates',
    { ...fine, batchPercent: 50, long: { above: 10, input: 2, output: 4 } },
    { input: 11, output: 1 },
    true,
    13_000,
  ],
]

for (const [sentence, price, usage, batch, nano] of rounded) {
  test(`costOf: ${sentence}`, () => {
    assert.equal(nanoOf(costOf({ ...noUsage, ...usage }, made(price), { batch })), nano)
  })
}

suite('costOf, whatever the prices and counts', () => {
  test('is a whole number within 2^53, never below nothing', () => {
    fc.assert(
      fc.property(anyPrice(), anyUsage(), fc.boolean(), (price, usage, batch) => {
        const nano = nanoOf(costOf(usage, made(price), { batch }))
        assert.ok(Number.isSafeInteger(nano) && nano >= 0, String(nano))
      }),
    )
  })

  test('is within half a nano-dollar of the sum done by hand', () => {
    fc.assert(
      fc.property(anyRates(), anyUsage(), (rates, usage) => {
        const { input, output, cacheRead = input, cacheWrite = input, cacheWrite1h = cacheWrite } = rates
        const exact =
          shifted(input, 6) * BigInt(usage.input) +
          shifted(output, 6) * BigInt(usage.output) +
          shifted(cacheRead, 6) * BigInt(usage.cacheRead) +
          shifted(cacheWrite, 6) * BigInt(usage.cacheWrite5m) +
          shifted(cacheWrite1h, 6) * BigInt(usage.cacheWrite1h)
        const off = BigInt(nanoOf(costOf(usage, made(rates)))) * 1000n - exact
        assert.ok(off > -500n && off <= 500n, String(off))
      }),
    )
  })

  test('of two calls is that of both as one, but for their rounding', () => {
    fc.assert(
      fc.property(anyRates(), anyUsage(50_000_000), anyUsage(50_000_000), (rates, one, other) => {
        const cost = (usage: Usage): number => nanoOf(costOf(usage, made(rates)))
        const off = cost(one) + cost(other) - cost(plus(one, other))
        assert.ok(Math.abs(off) <= 1, String(off))
      }),
    )
  })

  test('does not fall when tokens come on top, for any model of the catalogue', () => {
    const tokens = fc.record(usageOf(fc.nat(300_000)))
    fc.assert(
      fc.property(fc.constantFrom(...withPrice), tokens, tokens, (model, usage, more) => {
        assert.ok(nanoOf(costOf(plus(usage, more), model)) >= nanoOf(costOf(usage, model)))
      }),
    )
  })
})

suite('upperBound', () => {
  const bounds: [sentence: string, model: Model, inputTokens: number, outputTokensMax: number, cost: Cost][] = [
    ['a model without a price is bounded in tokens', made(), 100, 20, { type: 'unknown', tokens: 120 }],
    ['without cache rates, all is input', find('gpt-4o'), 1_000, 100, { type: 'known', nano: 2_500_000 + 1_000_000 }],
    [
      'all input may be written to the dearest cache',
      find('claude-sonnet-5-5'),
      1_000,
      100,
      { type: 'known', nano: 4_000_000 + 1_000_000 },
    ],
    [
      'at the step the short rates hold',
      find('claude-haiku-5-5'),
      100_000,
      1_000,
      { type: 'known', nano: 20_000_000 + 500_000 },
    ],
    [
      'above it the long ones',
      find('claude-haiku-5-5'),
      100_001,
      1_000,
      { type: 'known', nano: 100_001_000 + 2_500_000 },
    ],
    [
      'where the long rates are lower, a call that turns out short is still covered',
      made({ input: 3, output: 4, long: { above: 10, input: 1, output: 2 } }),
      11,
      1,
      { type: 'known', nano: 33_000 + 4_000 },
    ],
    ['nothing asked is nothing set aside', find('gpt-4o'), 0, 0, { type: 'known', nano: 0 }],
  ]

  for (const [sentence, model, inputTokens, outputTokensMax, cost] of bounds) {
    test(sentence, () => assert.deepEqual(upperBound(model, { inputTokens, outputTokensMax }), cost))
  }

  test('is never below what the call costs in the end', () => {
    fc.assert(
      fc.property(anyPrice(), anyUsage(20_000_000), fc.nat(10), fc.nat(10), (price, usage, spareInput, spareOutput) => {
        const input = usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h
        const bound = upperBound(made(price), {
          inputTokens: input + spareInput,
          outputTokensMax: usage.output + spareOutput,
        })
        for (const batch of [true, false]) {
          assert.ok(nanoOf(bound) >= nanoOf(costOf(usage, made(price), { batch })))
        }
      }),
    )
  })
})

suite('priced', () => {
  const long = { above: 10, input: 2, output: 4 }
  const faulty: [sentence: string, price: object, says: RegExp][] = [
    ['a rate finer than a pico-dollar a token', { input: 0.00000015, output: 1 }, /^made: price\.input is 1\.5e-7; it/],
    [
      'a rate just off a round one',
      { input: 0.1 + 0.2, output: 1 },
      /price\.input is 0\.30000000000000004; it must be/,
    ],
    ['a rate below nothing', { input: 1, output: -1 }, /price\.output is -1; it must be dollars a million tokens/],
    ['a rate beyond the limit', { input: 10_000.1, output: 1 }, /price\.input is 10000\.1; .* from 0 to 10000, /],
    ['a rate that is no number', { input: 1, output: 1, cacheRead: '0.1' }, /price\.cacheRead is 0\.1; it must be/],
    ['a rate that is not a number', { input: NaN, output: 1 }, /price\.input is NaN; it must be/],
    ['a missing rate', { input: 1 }, /price\.output is undefined; it must be/],
    ['a misspelt rate', { input: 1, output: 1, cachRead: 0.1 }, /price\.cachRead is not a price; known are input, /],
    [
      'a rate of long calls',
      { input: 1, output: 1, long: { ...long, cacheWrite: 0.0000001 } },
      /price\.long\.cacheWrite is 1e-7; it must be/,
    ],
    [
      'a misspelt rate of long calls',
      { input: 1, output: 1, long: { ...long, cacheWrites: 1 } },
      /price\.long\.cacheWrites is not a price/,
    ],
    [
      'a step of no tokens',
      { input: 1, output: 1, long: { ...long, above: 0 } },
      /price\.long\.above is 0; it must be a whole number of tokens/,
    ],
    [
      'a batch’s share above the whole',
      { input: 1, output: 1, batchPercent: 101 },
      /price\.batchPercent is 101; it must be a whole number from 0 to 100/,
    ],
    ['a broken share', { input: 1, output: 1, batchPercent: 0.5 }, /price\.batchPercent is 0\.5; it must be/],
  ]

  for (const [sentence, price, says] of faulty) {
    test(`names ${sentence}`, () => {
      assert.throws(
        () => priced([find('gpt-4o'), made(price as Price)]),
        (error: Error) => {
          const [first, ...lines] = error.message.split('\n')
          assert.equal(first, 'The catalogue has prices that cannot be reckoned with:')
          assert.equal(lines.length, 1, error.message)
          assert.match(lines[0] ?? '', says)
          return true
        },
      )
    })
  }

  test('names all faults at once', () => {
    const bad = { input: -1, output: -1 }
    assert.throws(() => priced([made(bad), made({ input: 1, output: 1, long: { above: 1, ...bad } })]), {
      message: /made: price\.input.*\nmade: price\.output.*\nmade: price\.long\.input.*\nmade: price\.long\.output/,
    })
  })

  test('takes every rate of six decimals, and none with a seventh', () => {
    const millionths = fc.integer({ min: 0, max: 9_999_999_999 })
    fc.assert(
      fc.property(millionths, fc.integer({ min: 1, max: 9 }), (rate, seventh) => {
        const text = `${Math.floor(rate / 1e6)}.${String(rate % 1e6).padStart(6, '0')}`
        priced([made({ input: Number(text), output: 0 })])
        assert.throws(() => priced([made({ input: Number(`${text}${seventh}`), output: 0 })]))
      }),
    )
  })

  test('takes a model without a price, and the limits themselves', () => {
    priced([
      made(),
      made({ input: 10_000, output: 0, batchPercent: 0, long: { above: 1, input: 0, output: 0.000001 } }),
    ])
  })

  test('takes the catalogue, and each of its rates is what a thousand tokens cost', () => {
    assert.ok(withPrice.length > 0)
    priced(models)
    for (const model of withPrice) {
      const { input, output, cacheRead, cacheWrite, cacheWrite1h } = model.price as Price
      const rates = { input, output, cacheRead, cacheWrite5m: cacheWrite, cacheWrite1h }
      for (const [name, rate] of Object.entries(rates)) {
        if (rate === undefined) continue
        const nano = nanoOf(costOf({ ...noUsage, [name]: 1_000 }, model))
        assert.equal(BigInt(nano), shifted(rate, 6), `${model.id}: ${name}`)
      }
    }
  })
})

suite('formatDollars', () => {
  const amounts: [nano: number, text: string][] = [
    [0, '$0.00'],
    [-0, '$0.00'],
    [1, '$0.000000001'],
    [-1, '-$0.000000001'],
    [123_000, '$0.000123'],
    [1_234_567, '$0.001235'],
    [100_000_000, '$0.10'],
    [123_456_789, '$0.1235'],
    [999_949_999, '$0.9999'],
    [999_950_000, '$1.00'],
    [1_000_000_000, '$1.00'],
    [1_004_999_999, '$1.00'],
    [1_005_000_000, '$1.01'],
    [12_340_000_000, '$12.34'],
    [-12_345_000_000, '-$12.35'],
    [1_234_567_890_000_000, '$1234567.89'],
    [Number.MAX_SAFE_INTEGER, '$9007199.25'],
  ]

  for (const [nano, text] of amounts) {
    test(`${nano} nano-dollars are ${text}`, () => assert.equal(formatDollars(nano), text))
  }

  test('shows a whole cent at least, nothing as nothing alone, and is off by half a digit at most', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (nano) => {
        const text = formatDollars(nano)
        assert.match(text, /^-?\$\d+\.\d{2,9}$/)
        const shown = shifted(text.replace('$', ''), 9)
        const size = BigInt(Math.abs(nano))
        const unit = size >= 1_000_000_000n ? 10_000_000n : 10n ** BigInt(Math.max(0, String(size).length - 4))
        const off = shown - BigInt(nano)
        assert.ok((off < 0n ? -off : off) * 2n <= unit, `${nano} is ${text}`)
        assert.equal(shown === 0n, nano === 0)
      }),
    )
  })
})

/** A decimal number times ten to the `places`, by its digits alone. */
function shifted(decimal: number | string, places: number): bigint {
  const text = typeof decimal === 'string' ? decimal : decimal.toFixed(places)
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(places, '0'))
}

function plus(one: Usage, other: Usage): Usage {
  const sum = { ...one }
  for (const name of Object.keys(one) as (keyof Usage)[]) sum[name] += other[name]
  return sum
}

function usageOf<T>(count: T): Record<keyof Usage, T> {
  return {
    input: count,
    output: count,
    cacheRead: count,
    cacheWrite5m: count,
    cacheWrite1h: count,
    thinking: count,
  }
}

/** Counts small and large alike. */
function anyUsage(max = 100_000_000): fc.Arbitrary<Usage> {
  return fc.record(usageOf(fc.oneof(fc.nat(20), fc.nat(max))))
}

function anyRates(): fc.Arbitrary<Rates> {
  const rate = fc.oneof(fc.nat(2_000), fc.integer({ min: 0, max: 10_000_000_000 })).map((pico) => pico / 1_000_000)
  return fc.record(
    { input: rate, output: rate, cacheRead: rate, cacheWrite: rate, cacheWrite1h: rate },
    { requiredKeys: ['input', 'output'] },
  )
}

/** With a step or without, its rates above or below the short ones. */
function anyPrice(): fc.Arbitrary<Price> {
  const above = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100_000_000 }))
  const long = fc.tuple(anyRates(), above).map(([rates, tokens]) => ({ ...rates, above: tokens }))
  const extras = fc.record({ long, batchPercent: fc.nat(100) }, { requiredKeys: [] })
  return fc.tuple(anyRates(), extras).map(([rates, extra]) => ({ ...rates, ...extra }))
}
