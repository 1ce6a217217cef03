npx vite --port <<.Port>>
# then open <<.Home>>
