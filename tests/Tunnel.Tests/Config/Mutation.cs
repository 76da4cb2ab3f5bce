namespace Tunnel.Tests.Config;

/// <summary>Texts that are nearly right.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] original, Random random)
    {
        const string Interesting = "[]{}.,='\"\\#\r\n \t0x1_-:TZe+\u0000\u007F";
        List<byte> bytes = [.. original];
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            int at = random.Next(bytes.Count);
            byte value = random.Next(4) == 0 ? (byte)random.Next(256) : (byte)Interesting[random.Next(Interesting.Length)];
            switch (random.Next(4))
            {
                case 0: bytes[at] = value; break;
                case 1: bytes.Insert(at, value); break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at - 1)); break;
                default: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(20, bytes.Count - at))); break;
            }
        }

        return [.. bytes];
    }
}
