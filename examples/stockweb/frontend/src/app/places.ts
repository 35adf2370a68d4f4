/** Where one can go from everywhere. */

import type { IconName } from '@/ui/AppIcon.vue'

export interface Place {
  /** The route's name. */
  readonly name: string
  readonly label: string
  readonly icon: IconName
  /** Goes there after `g`. */
  readonly key: string
  /** Has a place of its own in the bar of a phone. */
  readonly phone?: true
}

export const PLACES: readonly Place[] = [
  { name: 'parts', label: 'Parts', icon: 'parts', key: 'p', phone: true },
  { name: 'find', label: 'Find', icon: 'find', key: 'f', phone: true },
  { name: 'boxes', label: 'Boxes', icon: 'boxes', key: 'b', phone: true },
  { name: 'scan', label: 'Scan', icon: 'scan', key: 's', phone: true },
  { name: 'low', label: 'Low stock', icon: 'low', key: 'l' },
  { name: 'projects', label: 'Projects', icon: 'projects', key: 'r' },
  { name: 'shopping', label: 'What to buy', icon: 'shopping', key: 'w' },
  { name: 'history', label: 'History', icon: 'history', key: 'h' },
  { name: 'labels', label: 'Labels', icon: 'labels', key: 'q' },
  { name: 'imports', label: 'Import, export', icon: 'files', key: 'i' },
]
