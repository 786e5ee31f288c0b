/** What people say, by what they want. */

/** What may be asked without any argument. */
export type Intent =
  | 'time'
  | 'date'
  | 'weekday'
  | 'month'
  | 'year'
  | 'joke'
  | 'another'
  | 'repeat'
  | 'help'
  | 'identity'
  | 'human'
  | 'ask-name'
  | 'forget-name'
  | 'how-are-you'
  | 'greeting'
  | 'thanks'
  | 'goodbye'
  | 'stop'
  | 'yes'
  | 'no'
  | 'sorry'
  | 'praise'
  | 'weather';

/** Phrases by intent; their words must come in this order, others may stand between them. */
export const phrases: Readonly<Record<Intent, readonly string[]>> = {
  time: [
    'what time is it',
    'what is the time',
    'tell me the time',
    'the time please',
    'current time',
    'do you have the time',
    'time now',
    'time is it',
    'what time',
    'how late is it',
    'time',
  ],
  date: [
    'what is the date',
    'what date is it',
    'what is today date',
    'the date',
    'date today',
    'what is tomorrow',
    'what is today',
    'date tomorrow',
    'about tomorrow',
    'and tomorrow',
    'date',
    'tomorrow',
    'yesterday',
  ],
  weekday: [
    'what day is it',
    'which day is it',
    'what day of the week',
    'day of the week',
    'what weekday',
    'what day was',
    'what day will',
    'what day',
    'day is today',
    'day is tomorrow',
  ],
  month: ['what month is it', 'which month', 'what month'],
  year: ['what year is it', 'which year', 'what year'],
  joke: [
    'tell me a joke',
    'tell joke',
    'know a joke',
    'any jokes',
    'make me laugh',
    'something funny',
    'say something funny',
    'joke',
    'jokes',
  ],
  another: [
    'another one',
    'one more',
    'another',
    'tell me another',
    'once more',
    'more please',
    'next one',
    'again please',
    'do it again',
    'again',
  ],
  repeat: [
    'repeat that',
    'say that again',
    'say it again',
    'what did you say',
    'come again',
    'pardon',
    'pardon me',
    'did not catch that',
    'did not hear you',
    'could you repeat',
    'repeat please',
    'repeat',
  ],
  help: [
    'what can you do',
    'what can i ask',
    'what can i say',
    'what do you know',
    'how can you help',
    'what are you able',
    'help me',
    'help',
    'your abilities',
    'what else can you',
  ],
  identity: [
    'who are you',
    'what are you',
    'what is your name',
    'your name',
    'who am i talking to',
    'tell me about yourself',
    'about yourself',
    'who made you',
  ],
  human: [
    'are you human',
    'are you a person',
    'are you real',
    'are you a robot',
    'are you an ai',
    'are you a computer',
    'are you alive',
    'are you a machine',
  ],
  'ask-name': [
    'what is my name',
    'do you know my name',
    'remember my name',
    'who am i',
    'say my name',
    'tell me my name',
    'know who i am',
    'remember me',
    'my name again',
  ],
  'forget-name': ['forget my name', 'forget me', 'forget about me', 'delete my name'],
  'how-are-you': [
    'how are you',
    'how are you doing',
    'how do you do',
    'how is it going',
    'are you well',
    'how do you feel',
  ],
  greeting: [
    'hello',
    'hello there',
    'hi',
    'hi there',
    'hey',
    'hey there',
    'good morning',
    'good afternoon',
    'good evening',
    'greetings',
    'howdy',
  ],
  thanks: [
    'thank you',
    'thanks',
    'thank you very much',
    'than you',
    'thanks a lot',
    'many thanks',
    'cheers',
  ],
  goodbye: [
    'goodbye',
    'good bye',
    'bye',
    'bye bye',
    'see you',
    'see you later',
    'good night',
    'talk to you later',
    'farewell',
  ],
  stop: [
    'stop',
    'stop it',
    'stop talking',
    'never mind',
    'forget it',
    'be quiet',
    'quiet',
    'shut up',
    'cancel',
    'cancel that',
    'enough',
    'hush',
  ],
  yes: ['yes', 'yeah', 'yep', 'sure', 'okay', 'ok', 'alright', 'yes please'],
  no: ['no', 'nope', 'no thanks', 'no thank you', 'not now'],
  sorry: ['sorry', 'i am sorry', 'excuse me'],
  praise: [
    'good job',
    'well done',
    'you are great',
    'you are funny',
    'that is funny',
    'very good',
    'i love you',
    'nice',
    'great',
    'cool',
    'awesome',
    'i like you',
    'good one',
  ],
  weather: [
    'what is the weather',
    'weather',
    'is it raining',
    'will it rain',
    'the news',
    'play music',
    'play a song',
    'sing a song',
  ],
};
