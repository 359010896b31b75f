const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Makes HTML of a template whose values are text: everything that is filled in is escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce(
    (page, part, index) =>
      page + part + (values[index] ?? '').replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? ''),
    '',
  )
}
