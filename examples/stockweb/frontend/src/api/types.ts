/** Short names for what the API gives and takes. */

import type { components } from './schema'

type Schemas = components['schemas']

export type Attribute = Schemas['Attribute']
export type Box = Schemas['Box']
export type Definition = Schemas['Definition']
export type Found = Schemas['Found']
export type Me = Schemas['Me']
export type Movement = Schemas['Movement']
export type Part = Schemas['Part']
export type PartInput = Schemas['PartInput']
export type PartType = Schemas['Type']
export type Person = Schemas['User']
export type Saved = Schemas['Saved']
export type Suiting = Schemas['Suiting']
export type Attachment = Schemas['Attachment']
export type Import = Schemas['Import']
export type ImportLine = Schemas['ImportLine']
export type LineReport = Schemas['LineReport']
export type Project = Schemas['Project']
export type ShoppingList = Schemas['ShoppingList']
