import assert from 'node:assert/strict'
import type Anthropic from '@anthropic-ai/sdk'

type Event = Anthropic.RawMessageStreamEvent
type Block = Anthropic.ContentBlock
/** A block while it is written. */
type Open = { index: number; json: string; signed: boolean }

/**
 * The message that raw events make, as an application folds them that uses no helper. Asserts what applications rely
 * on: the order of the events, indexes without gaps, no blocks inside each other, one signature at the end of a thought.
 */
export async function foldAnthropic(events: AsyncIterable<Event>): Promise<Anthropic.Message> {
  const fold = new Fold()
  for await (const event of events) fold.take(event)
  return fold.message()
}

class Fold {
  #message: Anthropic.Message | undefined
  #open: Open | undefined
  #deltas = 0
  #stopped = false

  take(event: Event): void {
    assert.ok(!this.#stopped, `${event.type} came after message_stop`)
    if (event.type === 'message_start') {
      this.#start(event)
      return
    }
    const message = this.#message
    assert.ok(message !== undefined, `${event.type} came before message_start`)
    switch (event.type) {
      case 'content_block_start':
        assert.equal(this.#open, undefined, 'a block began inside another')
        assert.equal(this.#deltas, 0, 'a block began after message_delta')
        assert.equal(event.index, message.content.length, 'indexes are contiguous')
        message.content.push(checkEmpty({ ...event.content_block }))
        this.#open = { index: event.index, json: '', signed: false }
        return
      case 'content_block_delta':
        assert.equal(event.index, this.#open?.index, 'a delta of the open block')
        this.#delta(message.content[event.index] as Block, event.delta, this.#open as Open)
        return
      case 'content_block_stop':
        assert.equal(event.index, this.#open?.index, 'the open block stops')
        this.#close(message.content[event.index] as Block, this.#open as Open)
        return
      case 'message_delta':
        assert.equal(this.#open, undefined, 'message_delta came inside a block')
        this.#deltas += 1
        message.stop_reason = event.delta.stop_reason
        message.stop_sequence = event.delta.stop_sequence
        Object.assign(message.usage, withoutNulls(event.usage))
        return
      case 'message_stop':
        assert.ok(this.#deltas > 0, 'message_stop came before message_delta')
        this.#stopped = true
    }
  }

  message(): Anthropic.Message {
    assert.ok(this.#stopped, 'the stream ended without message_stop')
    assert.ok(this.#message !== undefined)
    return this.#message
  }

  #start(event: Anthropic.RawMessageStartEvent): void {
    assert.equal(this.#message, undefined, 'message_start came twice')
    assert.deepEqual(event.message.content, [])
    assert.equal(event.message.stop_reason, null)
    assert.equal(event.message.stop_sequence, null)
    this.#message = structuredClone(event.message)
  }

  #delta(block: Block, delta: Anthropic.RawContentBlockDelta, open: Open): void {
    switch (delta.type) {
      case 'text_delta':
        assert.ok(block.type === 'text')
        assert.notEqual(delta.text, '')
        block.text += delta.text
        return
      case 'thinking_delta':
        assert.ok(block.type === 'thinking')
        assert.ok(!open.signed, 'thinking came after its signature')
        block.thinking += delta.thinking
        return
      case 'signature_delta':
        assert.ok(block.type === 'thinking')
        assert.ok(!open.signed, 'a thought was signed twice')
        open.signed = true
        block.signature = delta.signature
        return
      case 'input_json_delta':
        assert.ok(block.type === 'tool_use')
        open.json += delta.partial_json
        return
      case 'citations_delta':
        assert.ok(block.type === 'text')
    }
  }

  #close(block: Block, open: Open): void {
    if (block.type === 'tool_use') block.input = JSON.parse(open.json === '' ? '{}' : open.json)
    this.#open = undefined
  }
}

/** Blocks begin empty, as the SDKs' accumulators take for granted. */
function checkEmpty(block: Block): Block {
  if (block.type === 'text') assert.equal(block.text, '')
  if (block.type === 'thinking') assert.deepEqual([block.thinking, block.signature], ['', ''])
  if (block.type === 'tool_use') assert.deepEqual(block.input, {})
  return block
}

function withoutNulls(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
}
