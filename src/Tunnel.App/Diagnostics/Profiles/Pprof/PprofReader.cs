using System.IO.Compression;
using System.Text;
using Tunnel.App.Diagnostics.Profiles.Nettrace;
using Fields = Tunnel.App.Diagnostics.Profiles.Pprof.PprofFields;

namespace Tunnel.App.Diagnostics.Profiles.Pprof;

/// <summary>Reads back what <see cref="PprofWriter"/> wrote, here or in another process.</summary>
public static class PprofReader
{
    private const int LongestMessage = 256 << 20;

    /// <exception cref="InvalidDataException">This is no profile, or one with what is never written here.</exception>
    public static StackProfile Read(byte[] file)
    {
        byte[] message = Unpack(file);
        List<string> texts = [.. TextsIn(message)];
        // The first text of every profile is the empty one.
        if (texts.Count == 0)
            throw new InvalidDataException("there are no texts");
        var functions = new Dictionary<long, string>();
        var locations = new Dictionary<long, long>();
        ForEach(message, (field, content) =>
        {
            if (field == Fields.Profile.Function)
                functions[NumberIn(content, Fields.Function.Id)] = At(texts, NumberIn(content, Fields.Function.Name));
            else if (field == Fields.Profile.Location)
                locations[NumberIn(content, Fields.Location.Id)] = NumberIn(ContentIn(content, Fields.Location.Line), Fields.Line.FunctionId);
        });
        return new Assembly(texts, functions, locations).Build(message);
    }

    private static byte[] Unpack(byte[] file)
    {
        using var gzip = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
        var message = new MemoryStream();
        byte[] part = new byte[64 * 1024];
        for (int count = gzip.Read(part); count > 0; count = gzip.Read(part))
        {
            message.Write(part, 0, count);
            if (message.Length > LongestMessage)
                throw new InvalidDataException($"a profile of more than {LongestMessage >> 20} MiB");
        }

        return message.ToArray();
    }

    private static List<string> TextsIn(byte[] message)
    {
        var texts = new List<string>();
        ForEach(message, (field, content) =>
        {
            if (field == Fields.Profile.StringTable)
                texts.Add(Encoding.UTF8.GetString(content));
        });
        return texts;
    }

    private static string At(List<string> texts, long index) =>
        (ulong)index < (ulong)texts.Count ? texts[(int)index] : throw new InvalidDataException($"there is no text {index}");

    private static long NumberIn(ReadOnlySpan<byte> message, int wanted)
    {
        long number = 0;
        ForEach(message, (_, _) => { }, (field, value) => number = field == wanted ? value : number);
        return number;
    }

    private static byte[] ContentIn(ReadOnlySpan<byte> message, int wanted)
    {
        byte[] found = [];
        ForEach(message, (field, content) => found = field == wanted ? content.ToArray() : found);
        return found;
    }

    private static void ForEach(ReadOnlySpan<byte> message, ContentAction onContent, Action<int, long>? onNumber = null)
    {
        var cursor = new PayloadCursor(message);
        while (cursor.Left > 0)
        {
            ulong tag = cursor.ReadVarint();
            switch (tag & 7)
            {
                case 0:
                    ulong number = cursor.ReadVarint();
                    onNumber?.Invoke((int)(tag >> 3), (long)number);
                    break;
                case 1:
                    cursor.Take(8);
                    break;
                case 2:
                    onContent((int)(tag >> 3), cursor.Take(checked((int)cursor.ReadVarint())));
                    break;
                case 5:
                    cursor.Take(4);
                    break;
                default:
                    throw new InvalidDataException($"a field of kind {tag & 7}");
            }
        }
    }

    private delegate void ContentAction(int field, ReadOnlySpan<byte> content);

    /// <summary>From the tables to the profile.</summary>
    private sealed class Assembly(List<string> texts, Dictionary<long, string> functions, Dictionary<long, long> locations)
    {
        private readonly List<ValueKind> _kinds = [];
        private readonly List<string> _names = [];
        private readonly Dictionary<long, int> _indices = [];
        private readonly List<StackSample> _samples = [];
        private readonly List<string> _comments = [];
        private ValueKind _periodKind = new("", "");
        private long _period, _start, _duration;

        public StackProfile Build(byte[] message)
        {
            ForEach(message, Take, Take);
            return new StackProfile(_kinds, _names, _samples)
            {
                PeriodKind = _periodKind,
                Period = _period,
                Start = DateTimeOffset.FromUnixTimeMilliseconds(_start / 1_000_000),
                Duration = TimeSpan.FromMicroseconds(_duration / 1000.0),
                Comments = _comments,
            };
        }

        private void Take(int field, long number)
        {
            switch (field)
            {
                case Fields.Profile.TimeNanos:
                    _start = number;
                    break;
                case Fields.Profile.DurationNanos:
                    _duration = number;
                    break;
                case Fields.Profile.Period:
                    _period = number;
                    break;
                case Fields.Profile.Comment:
                    _comments.Add(At(texts, number));
                    break;
            }
        }

        private void Take(int field, ReadOnlySpan<byte> content)
        {
            switch (field)
            {
                case Fields.Profile.SampleType:
                    _kinds.Add(KindOf(content));
                    break;
                case Fields.Profile.PeriodType:
                    _periodKind = KindOf(content);
                    break;
                case Fields.Profile.Sample:
                    _samples.Add(SampleOf(content));
                    break;
            }
        }

        private ValueKind KindOf(ReadOnlySpan<byte> content) =>
            new(At(texts, NumberIn(content, Fields.ValueType.Type)), At(texts, NumberIn(content, Fields.ValueType.Unit)));

        private StackSample SampleOf(ReadOnlySpan<byte> content)
        {
            int[] frames = [.. NumbersIn(ContentIn(content, Fields.Sample.LocationId)).Select(IndexOf)];
            long[] values = [.. NumbersIn(ContentIn(content, Fields.Sample.Value))];
            if (values.Length != _kinds.Count)
                throw new InvalidDataException($"a sample with {values.Length} values instead of {_kinds.Count}");
            byte[] label = ContentIn(content, Fields.Sample.Label);
            return new StackSample(frames, values, label.Length == 0 ? null : At(texts, NumberIn(label, Fields.Label.Text)));
        }

        private int IndexOf(long location)
        {
            if (_indices.TryGetValue(location, out int index))
                return index;
            if (!locations.TryGetValue(location, out long function) || !functions.TryGetValue(function, out string? name))
                throw new InvalidDataException($"there is no location {location}");
            _names.Add(name);
            return _indices[location] = _names.Count - 1;
        }

        private static List<long> NumbersIn(byte[] packed)
        {
            var numbers = new List<long>();
            var cursor = new PayloadCursor(packed);
            while (cursor.Left > 0)
                numbers.Add((long)cursor.ReadVarint());
            return numbers;
        }
    }
}
