print("rrdata")
