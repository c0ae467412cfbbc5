"""What a party can forecast with: one file an expert, and the folder is the registry."""
