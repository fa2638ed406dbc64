#pragma once
// jpeglib.h uses both without including what declares them.
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>
