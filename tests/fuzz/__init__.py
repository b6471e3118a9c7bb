"""Any bytes give a case or UnreadableSpecimen, nothing else, in little time and memory."""
