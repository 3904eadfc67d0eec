def summary(d):
    return ""
