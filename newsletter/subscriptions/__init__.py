"""What is done to one person: one function for each thing that is asked, in the file named after it, committed before
it returns.
"""
