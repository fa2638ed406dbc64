import Testing

@testable import RRFormats

@Suite("Planes of pixels")
struct PixelPlanesTests {
    @Test(
        "every sample goes to its channel's plane, and nothing beyond",
        arguments: 1...5, [0, 1, 7, 31, 32, 33, 100])
    func separate(channels: Int, count: Int) {
        let pixels = (0..<channels * count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 256) }
        let planeSize = count + 3
        var planes = Array(repeating: UInt8(99), count: channels * planeSize)
        PixelPlanes.separate(pixels, channels: channels, count: count, into: &planes, planeSize: planeSize)
        for channel in 0..<channels {
            for position in 0..<planeSize {
                let expected = position < count ? pixels[position * channels + channel] : 99
                #expect(planes[channel * planeSize + position] == expected)
            }
        }
    }
}
