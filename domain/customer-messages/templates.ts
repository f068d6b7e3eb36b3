/** Templates: plain text with `{{placeholders}}`, immutable versions per channel and language. These apply where a channel has none of its own. */
import { placeholders, type Language, type MessageKind } from './kinds'

export interface Template {
  subject: string
  text: string
}

export const defaultTemplates: Readonly<Record<Language, Readonly<Record<MessageKind, Template>>>> = {
  en: {
    confirmation: { subject: 'Your order {{orderNumber}}', text: 'Hello {{name}},\n\nthank you for your order {{orderNumber}} over {{total}}. We will write again when it is on its way.\n\n{{shop}}' },
    ready_for_pickup: { subject: 'Order {{orderNumber}} is ready', text: 'Hello {{name}},\n\nyour order {{orderNumber}} waits for you at the counter until {{pickupBy}}.\n\n{{shop}}' },
    out_for_delivery: { subject: 'Order {{orderNumber}} comes today', text: 'Hello {{name}},\n\nyour order {{orderNumber}} is on the van. Its number is {{trackingNumber}}.\n\n{{shop}}' },
    delay: { subject: 'Order {{orderNumber}} comes later', text: 'Hello {{name}},\n\nwe cannot keep the date we gave you for order {{orderNumber}}, and are sorry. It comes by {{promisedBy}}.\n\n{{shop}}' },
    delivered: { subject: 'Order {{orderNumber}} has arrived', text: 'Hello {{name}},\n\nyour order {{orderNumber}} was delivered.\n\n{{shop}}' },
    refund: { subject: 'Refund for order {{orderNumber}}', text: 'Hello {{name}},\n\nwe have given {{amount}} back for order {{orderNumber}}.\n\n{{shop}}' },
  },
  de: {
    confirmation: { subject: 'Ihre Bestellung {{orderNumber}}', text: 'Guten Tag {{name}},\n\nvielen Dank für Ihre Bestellung {{orderNumber}} über {{total}}. Wir melden uns, wenn sie unterwegs ist.\n\n{{shop}}' },
    ready_for_pickup: { subject: 'Bestellung {{orderNumber}} liegt bereit', text: 'Guten Tag {{name}},\n\nIhre Bestellung {{orderNumber}} liegt bis {{pickupBy}} zur Abholung bereit.\n\n{{shop}}' },
    out_for_delivery: { subject: 'Bestellung {{orderNumber}} kommt heute', text: 'Guten Tag {{name}},\n\nIhre Bestellung {{orderNumber}} ist in der Zustellung. Die Sendungsnummer ist {{trackingNumber}}.\n\n{{shop}}' },
    delay: { subject: 'Bestellung {{orderNumber}} verspätet sich', text: 'Guten Tag {{name}},\n\nden genannten Termin für Bestellung {{orderNumber}} können wir leider nicht halten. Sie kommt bis {{promisedBy}}.\n\n{{shop}}' },
    delivered: { subject: 'Bestellung {{orderNumber}} ist angekommen', text: 'Guten Tag {{name}},\n\nIhre Bestellung {{orderNumber}} wurde zugestellt.\n\n{{shop}}' },
    refund: { subject: 'Erstattung für Bestellung {{orderNumber}}', text: 'Guten Tag {{name}},\n\nwir haben {{amount}} für Bestellung {{orderNumber}} erstattet.\n\n{{shop}}' },
  },
}

const mark = /\{\{\s*([^{}]*?)\s*\}\}/g

/** @returns placeholders this kind of message does not have, and braces that are none. */
export function unknownPlaceholders(kind: MessageKind, { subject, text }: Template): string[] {
  const named = [...`${subject}\n${text}`.matchAll(mark)].map((match) => match[1]!)
  const stray = `${subject}\n${text}`.replace(mark, '').match(/\{\{|\}\}/g) ?? []
  return [...new Set([...named.filter((name) => !placeholders[kind].includes(name)), ...stray])]
}

export interface Rendered {
  subject: string
  text: string
  html: string
}

/** A value that is missing leaves nothing behind; one that holds markup shows it as text. A subject stays one line, whatever a value holds. */
export function render({ subject, text }: Template, values: Readonly<Record<string, string | undefined>>): Rendered {
  const fill = (template: string, as: (value: string) => string = (value) => value): string => template.replace(mark, (_, name: string) => as(values[name] ?? ''))
  const paragraphs = escaped(text).split(/\n{2,}/)
  const html = paragraphs.map((paragraph) => `<p>${fill(paragraph, escaped).replaceAll('\n', '<br>')}</p>`).join('\n')
  return { subject: fill(subject).replace(/\s+/g, ' ').trim(), text: fill(text), html }
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (value: string): string => value.replace(/[&<>"']/g, (char) => escapes[char]!)
