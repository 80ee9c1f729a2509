function delay() return 2 end -- milliseconds between an answer and the next request
