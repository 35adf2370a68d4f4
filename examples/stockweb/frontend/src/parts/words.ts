/** A part in words. */

import type { Attribute, Part } from '@/api/types'

/** What a list shows of a part, however it was found. */
export type Listed = Omit<Part, 'type' | 'type_id' | 'description' | 'tags'>

/** Where it comes from: `RC0805FR-074K7L · Yageo`. */
export function origin(part: Pick<Part, 'mpn' | 'manufacturer'>): string {
  return [part.mpn, part.manufacturer].filter(Boolean).join(' · ')
}

/** What it is, as briefly as it can be said: `4.7 kΩ ±1 %  125 mW  0805`. */
export function specs(part: Pick<Part, 'attributes' | 'package'>): string[] {
  return [...part.attributes.map(said), part.package].filter(Boolean)
}

/** A value as it was understood, or as it was typed where it was not. A mere "yes" needs its label. */
export function said(attribute: Pick<Attribute, 'kind' | 'label' | 'understood' | 'value'>): string {
  const text = attribute.understood || attribute.value
  return attribute.kind === 'boolean' ? `${attribute.label}: ${text}` : text
}
