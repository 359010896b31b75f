export function usersOf(n: number): string
export function wants(receiver: number, user: string, receivers: number): boolean
