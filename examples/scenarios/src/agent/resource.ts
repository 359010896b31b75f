/** What the gateway is called by those who ask for tokens for it, whatever process serves it. */
export const resource = 'https://files.example/mcp'

/** Where it says which identity provider gives them. */
export const resourceMetadata = 'https://files.example/.well-known/oauth-protected-resource/mcp'
