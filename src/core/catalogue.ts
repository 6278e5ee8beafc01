import type { VendorSetup } from './snapshot.ts'
import type { Model } from './vendor.ts'

/** What names of models are looked up in. */
export interface Names {
  readonly vendors: ReadonlyMap<string, VendorSetup>
  readonly models: ReadonlyMap<string, Model>
  /** Names of the operator's own: alias to `model` or `vendor/model`. */
  readonly aliases: ReadonlyMap<string, string>
}

/** A model, and the vendor who makes it. */
export interface Named {
  readonly setup: VendorSetup
  readonly model: Model
}

/** No model's name is longer: one that is comes from a mistake, and would be kept in receipts. */
const nameLengthMax = 200

/**
 * The vendor and model that a name stands for: an alias, a catalogue name, `vendor/model`, or a vendor's prefix. Undefined for a
 * name of nobody's.
 */
export function named(names: Names, asked: string): Named | undefined {
  const name = names.aliases.get(asked) ?? asked
  // Half a character, which JSON can hold, cannot stand in the path of a URL.
  if (name.length > nameLengthMax || !name.isWellFormed()) return undefined
  const known = names.models.get(name)
  if (known !== undefined) return { setup: names.vendors.get(known.vendor) as VendorSetup, model: known }
  const slash = name.indexOf('/')
  if (slash > 0 && slash < name.length - 1) {
    const setup = names.vendors.get(name.slice(0, slash))
    if (setup !== undefined) return { setup, model: modelOf(names, setup, name.slice(slash + 1)) }
  }
  for (const setup of names.vendors.values()) {
    if (setup.vendor.models.test(name)) return { setup, model: modelOf(names, setup, name) }
  }
  return undefined
}

/** The catalogue's facts for a dated name are those of its undated line; a wholly new name has none. */
function modelOf(names: Names, setup: VendorSetup, id: string): Model {
  const undated = id.replace(/(-\d{8}|-\d{4}-\d{2}-\d{2}|-latest)$/, '')
  const known = names.models.get(id) ?? names.models.get(undated)
  if (known?.vendor === setup.vendor.name) return known.id === id ? known : { ...known, id }
  return { id, vendor: setup.vendor.name }
}
