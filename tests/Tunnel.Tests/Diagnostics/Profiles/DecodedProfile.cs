using System.IO.Compression;
using Google.Protobuf;

namespace Tunnel.Tests.Diagnostics.Profiles;

/// <summary>A pprof file, decoded by the field numbers of profile.proto with another library than the writer's.</summary>
internal sealed class DecodedProfile
{
    private readonly List<ByteString> _sampleTypes = [], _samples = [], _locations = [], _functions = [];
    private readonly List<string> _texts = [];
    private ByteString _periodType = ByteString.Empty;
    private ByteString _mapping = ByteString.Empty;

    private DecodedProfile(byte[] message) => Decode(message, (field, input) =>
    {
        switch (field)
        {
            case 1: _sampleTypes.Add(input.ReadBytes()); break;
            case 2: _samples.Add(input.ReadBytes()); break;
            case 3: _mapping = input.ReadBytes(); break;
            case 4: _locations.Add(input.ReadBytes()); break;
            case 5: _functions.Add(input.ReadBytes()); break;
            case 6: _texts.Add(input.ReadString()); break;
            case 9: TimeNanos = input.ReadInt64(); break;
            case 10: DurationNanos = input.ReadInt64(); break;
            case 11: _periodType = input.ReadBytes(); break;
            case 12: Period = input.ReadInt64(); break;
            case 13: Comments.Add((int)input.ReadInt64()); break;
            case 14: DefaultSampleType = (int)input.ReadInt64(); break;
            default: throw new InvalidDataException($"profile.proto has no field {field}, or it is not written here");
        }
    });

    public long TimeNanos { get; private set; }

    public long DurationNanos { get; private set; }

    public long Period { get; private set; }

    public int DefaultSampleType { get; private set; }

    public List<int> Comments { get; } = [];

    public string[] SampleTypes => [.. _sampleTypes.Select(KindOf)];

    public string PeriodType => KindOf(_periodType);

    public string MappedFile => _texts[(int)Numbers(_mapping, 5).Single()];

    public string DefaultType => _texts[DefaultSampleType];

    /// <summary>Each sample: names of its frames, the innermost first; values; labels.</summary>
    public IEnumerable<(string[] Frames, long[] Values, string[] Labels)> Samples
    {
        get
        {
            Dictionary<long, string> functions = _functions.ToDictionary(f => Numbers(f, 1).Single(), f => _texts[(int)Numbers(f, 2).Single()]);
            Dictionary<long, string> locations = _locations.ToDictionary(
                l => Numbers(l, 1).Single(), l => functions[Numbers(Contents(l, 4).Single(), 1).Single()]);
            return _samples.Select(s => (
                Packed(Contents(s, 1)).Select(id => locations[id]).ToArray(),
                Packed(Contents(s, 2)).ToArray(),
                Contents(s, 3).Select(l => $"{_texts[(int)Numbers(l, 1).Single()]}={_texts[(int)Numbers(l, 2).Single()]}").ToArray()));
        }
    }

    public static DecodedProfile From(byte[] file)
    {
        Assert.Equal(0x1F, file[0]);
        Assert.Equal(0x8B, file[1]);
        using var gzip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
        var message = new MemoryStream();
        gzip.CopyTo(message);
        var profile = new DecodedProfile(message.ToArray());
        Assert.Equal("", profile._texts[0]);
        return profile;
    }

    /// <summary>The sum of a kind of value over the samples with a frame whose name begins like this.</summary>
    public long Sum(int value, string prefix = "") => Samples
        .Where(s => prefix.Length == 0 || s.Frames.Any(f => f.StartsWith(prefix, StringComparison.Ordinal))).Sum(s => s.Values[value]);

    private string KindOf(ByteString kind) => $"{_texts[(int)Numbers(kind, 1).Single()]}/{_texts[(int)Numbers(kind, 2).Single()]}";

    private static void Decode(byte[] message, Action<int, CodedInputStream> take)
    {
        var input = new CodedInputStream(message);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            take(WireFormat.GetTagFieldNumber(tag), input);
    }

    private static List<long> Numbers(ByteString message, int wanted)
    {
        var numbers = new List<long>();
        DecodeFields(message, wanted, WireFormat.WireType.Varint, input => numbers.Add(input.ReadInt64()));
        return numbers;
    }

    private static List<ByteString> Contents(ByteString message, int wanted)
    {
        var contents = new List<ByteString>();
        DecodeFields(message, wanted, WireFormat.WireType.LengthDelimited, input => contents.Add(input.ReadBytes()));
        return contents;
    }

    private static void DecodeFields(ByteString message, int wanted, WireFormat.WireType type, Action<CodedInputStream> take)
    {
        var input = new CodedInputStream(message.ToByteArray());
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == wanted && WireFormat.GetTagWireType(tag) == type)
                take(input);
            else
                input.SkipLastField();
        }
    }

    private static List<long> Packed(List<ByteString> contents)
    {
        var numbers = new List<long>();
        foreach (ByteString content in contents)
        {
            var input = new CodedInputStream(content.ToByteArray());
            while (!input.IsAtEnd)
                numbers.Add(input.ReadInt64());
        }

        return numbers;
    }
}
