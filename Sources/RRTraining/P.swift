// The training loops come with the stream.
