/** The texts by their code units: the same order on every machine. */
export const sorted = (texts) => texts.toSorted((one, other) => (one < other ? -1 : 1))
